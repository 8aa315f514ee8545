"""How soon the app's first page is there, and whether its memory stays flat.

A page is the work of Streamlit and the browser, too: an app of one line, measured next to this one in the same run, shows what
they take. Every page is opened in a new profile, as by a reader who has never been here.
"""

import re
import statistics
import tempfile
import time
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page

from benchmarks import figures
from benchmarks.figures import Figure, ratio
from pipeline.data.synthetic import example
from tests.helpers.browser import app, chromium, settled

ROOT = Path(__file__).resolve().parents[1]
EMPTY = "import streamlit as st\n\nst.caption('empty')\n"
UPLOADER, CAPTION = "[data-testid=stFileUploader]", "[data-testid=stCaptionContainer]"
TIMES = 5
AT_ONCE, LAST = 20, 200  # predictions


def first_page(browser: Browser, folder: Path, query: str, awaited: str) -> tuple[float, float, float]:
    """Start the app in `folder`; return the seconds to its first answer, to its first page, and of a reload."""
    with browser.new_context() as context:
        page = context.new_page()
        start = time.perf_counter()
        with app(folder) as (address, _):
            up = time.perf_counter() - start
            page.goto(f"{address}/{query}")
            page.wait_for_selector(awaited)
            first = time.perf_counter() - start
            settled(page)  # the model is loaded
            again = time.perf_counter()
            page.reload()
            page.wait_for_selector(awaited)
            return up, first, time.perf_counter() - again


def speed(browser: Browser) -> list[Figure]:
    """Return the figures of the first page, the median of `TIMES` starts by turns with those of an empty app."""
    with tempfile.TemporaryDirectory() as scratch:
        empty = Path(scratch)
        (empty / "app").mkdir()
        (empty / "app/main.py").write_text(EMPTY, encoding="utf-8")
        (empty / ".streamlit").symlink_to(ROOT / ".streamlit")
        pairs = [
            (first_page(browser, ROOT, "?task=lesions", UPLOADER), first_page(browser, empty, "", CAPTION))
            for _ in range(TIMES)
        ]
    ours, bare = (
        [statistics.median(values) for values in zip(*side, strict=True)] for side in zip(*pairs, strict=True)
    )
    how = f"median of {TIMES}; the process starts, Chromium opens a page in a new profile"
    return [
        Figure("start to server", ours[0], f"median of {TIMES}; empty app: {bare[0]:.2f} s", unit="s"),
        Figure("start to first page", ours[1], how, at_most=2, unit="s"),
        Figure("the same of an empty app", bare[1], "one line of text: Streamlit and Chromium alone", unit="s"),
        ratio("first page against an empty app", ours[1], bare[1], at_most=1.3),
        Figure("reload", ours[2], f"median of {TIMES}; empty app: {bare[2]:.2f} s", unit="s"),
    ]


def upload(page: Page, start: int) -> None:
    """Upload `AT_ONCE` images that have not been there, and wait for the answers."""
    names = range(start, start + AT_ONCE)
    files = [{"name": f"{k}.jpg", "mimeType": "image/jpeg", "buffer": example.example(k)} for k in names]
    page.reload()
    settled(page)
    page.locator("input[type=file]").set_input_files(files)
    page.get_by_text(re.compile(r"^\d+ predicted")).wait_for()  # a few may be refused
    settled(page)


def memory(browser: Browser) -> list[Figure]:
    """Return the PSS of all the app's processes after 20, 100 and 200 predictions, and its growth after the 100th."""
    seen = {}
    with app(ROOT) as (address, process), browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(f"{address}/?task=lesions")
        for done in range(AT_ONCE, LAST + 1, AT_ONCE):
            upload(page, done)
            top = psutil.Process(process.pid)
            tree = [top, *top.children(recursive=True)]
            seen[done] = sum(item.memory_full_info().pss for item in tree) / 1e6
            print(f"{done} predictions: {seen[done]:.1f} MB", flush=True)
    how = f"PSS of the process tree, uploads of {AT_ONCE} at a time, another session each"
    return [
        *(Figure(f"memory after {n} predictions", seen[n], how, unit="MB") for n in (20, 100, 200)),
        Figure("memory's growth", seen[200] - seen[100], "from prediction 100 to 200", at_most=10, unit="MB"),
    ]


def main() -> None:
    with chromium() as browser:
        figures.save("app", "The app", speed(browser) + memory(browser))


if __name__ == "__main__":
    main()
