"""The app as a process, and a real Chromium that looks at it: what its browser tests share."""

import contextlib
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.helpers.serving import until

LOG_BYTES = 500_000
ELSEWHERE = "evil.example"  # a name that resolves to this machine


@contextlib.contextmanager
def app(folder: Path, *arguments: str, largest: int = LOG_BYTES, **env: str) -> Iterator[tuple[str, subprocess.Popen]]:
    """Run the app in `folder` on a free port; yield its address and the process.

    The process, and what it starts, may write no file of over `largest` bytes: an upload that went to a temporary file would
    fail.
    """
    clean = {name: value for name, value in os.environ.items() if name != "ASSAY_API_KEYS"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app/main.py", "--server.port", str(port), *arguments]
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch, "log")
        with log.open("wb") as message:
            process = subprocess.Popen(command, cwd=folder, env=clean | env, stdout=message, stderr=message)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (largest, largest))
        try:
            until(lambda: healthy(port), "the app answers")
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.terminate()
            process.wait(20)
        assert "Traceback" not in log.read_text(), log.read_text()


def healthy(port: int) -> bool:
    """Return whether the app answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium; skip the test where it is not installed."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.skip("Chromium is not installed ('apt-get install chromium'): the app cannot be looked at")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1"]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@contextlib.contextmanager
def opened(browser: Browser, address: str, **options: object) -> Iterator[Page]:
    """Open a page of the app; fail where it asks anybody else for anything, or shows an exception, while it is used."""
    with contextlib.closing(browser.new_context(**options)) as context:
        page, asked, errors = context.new_page(), [], []
        page.set_default_timeout(60_000)
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda websocket: asked.append(websocket.url.replace("ws:", "http:")))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        settled(page)
        yield page
        home = address.split("/", 3)[2]
        assert not [url for url in asked if not url.startswith((f"http://{home}/", "data:", f"blob:http://{home}/"))]
        assert len(asked) > 5
        assert not errors
        assert not page.get_by_test_id("stException").count()
        assert "Traceback" not in page.inner_text("body")


def upload(page: Page, *files: tuple[str, bytes]) -> None:
    """Hand files, (name, bytes), to the page's uploader, as if they were chosen in the dialog."""
    page.locator("input[type=file]").first.set_input_files(
        [{"name": name, "mimeType": "application/octet-stream", "buffer": data} for name, data in files]
    )


def hand_in(page: Page, label: str, batch: str, *files: tuple[str, bytes]) -> None:
    """Fill in the form of the page Retrain and send it."""
    page.get_by_role("combobox", name="Label").click()
    page.get_by_role("option", name=label, exact=True).click()
    page.get_by_role("textbox", name="Batch").fill(batch)
    upload(page, *files)
    page.get_by_test_id("stFileChip").first.wait_for()
    page.get_by_role("button", name="Submit", exact=True).click()
    page.get_by_text(re.compile(r"^\d+ stored, \d+ refused$")).wait_for()


def settled(page: Page) -> None:
    """Wait until the page's script has run and everything of it is drawn."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.wait_for_selector("[data-testid=stMain] [data-testid=stCaptionContainer]")
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')")
