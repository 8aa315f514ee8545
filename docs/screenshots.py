"""Images of the app, of this project's champions. Run: python -m docs.screenshots [FOLDER]

Without a folder: docs/predict.png, compare.png and data.png in the light theme, and predict-dark.png. With one: every page and
every tab, whole, in the light and in the dark theme and as on a phone, to look at.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.helpers.browser import app, chromium, opened, settled

ROOT = Path(__file__).resolve().parents[1]
SIZE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
SHOTS = (("predict", "light"), ("compare", "light"), ("data", "light"), ("predict", "dark"))
WAYS = (("light", "light", SIZE), ("dark", "dark", SIZE), ("phone", "light", PHONE))
VIEWS = ("Threshold", "Leaderboard", "One model", "Two models", "Subgroups")


def main() -> None:
    with app(ROOT) as (address, _), chromium() as browser:
        if len(sys.argv) > 1:
            everything(browser, address, Path(sys.argv[1]))
        else:
            of_the_docs(browser, address)


def of_the_docs(browser: Browser, address: str) -> None:
    """Write the images that the documentation shows."""
    for name, scheme in SHOTS:
        path = ROOT / "docs" / (f"{name}.png" if scheme == "light" else f"{name}-{scheme}.png")
        with opened(browser, at(address, name, "lesions"), viewport=SIZE, color_scheme=scheme) as page:
            if name == "predict":
                explain_example(page)
            if name == "compare":
                page.get_by_role("tab", name="Leaderboard").click()
            drawn(page)
            page.screenshot(path=path)
        Image.open(path).convert("P", palette=Image.Palette.ADAPTIVE, colors=256).save(path, optimize=True)
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} KB")


def everything(browser: Browser, address: str, folder: Path) -> None:
    """Write an image of each page and tab in each way."""
    folder.mkdir(parents=True, exist_ok=True)
    for way, scheme, size in WAYS:
        for task in ("lesions", "breast"):
            for name in ("predict", "data", "monitor", "retrain", "compare"):
                with opened(browser, at(address, name, task), viewport=size, color_scheme=scheme) as page:
                    for label in shown(page, name, task):
                        drawn(page)
                        whole(page, size, folder / f"{task}-{label}-{way}.png")


def shown(page: Page, name: str, task: str) -> Iterator[str]:
    """Yield the names of what is to be seen on a page, after opening each."""
    if name == "predict":
        if task == "lesions":
            explain_example(page)
        else:
            page.get_by_role("button", name="Predict", exact=True).click()
        yield name
    elif name == "compare":
        for view in VIEWS:
            page.get_by_role("tab", name=view).click()
            yield f"compare-{view.lower().replace(' ', '-')}"
    else:
        yield name


def explain_example(page: Page) -> None:
    """Predict and explain an example."""
    page.get_by_text("Example", exact=True).click()
    page.locator("[aria-label^='Probabilities: ']").first.wait_for()
    page.get_by_text("Explain this prediction").click()
    page.get_by_text("What the answer rests on").wait_for()


def at(address: str, name: str, task: str) -> str:
    """Return the address of a page; the first has no name in it."""
    return f"{address}/{'' if name == 'predict' else name}?task={task}"


def drawn(page: Page) -> None:
    """Wait until charts are drawn, which is after the script has ended."""
    settled(page)
    page.wait_for_timeout(1500)


def whole(page: Page, size: dict[str, int], path: Path) -> None:
    """Write an image of the page with all that can be scrolled to."""
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": min(9000, height + 60)})
    page.wait_for_timeout(700)
    page.screenshot(path=path)
    page.set_viewport_size(size)
    print(path, flush=True)


if __name__ == "__main__":
    main()
