"""The page Monitor in a real Chromium: uploads are counted, shown in both themes and on a phone, and still there later."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.browser.test_pages import metric
from tests.helpers.browser import app, opened, settled, upload
from tests.helpers.models import chessboard, lesion
from tests.helpers.projects import Project

DRAWN = 60
CHARTS = ("Distance: ", "Probability: ", "Answers: ")


@pytest.fixture(scope="module")
def project(small, tmp_path_factory) -> Project:
    """What the app needs of `small`, to be written to."""
    folder = tmp_path_factory.mktemp("app")
    for name in ("app", "pipeline", ".streamlit", "models", "reports"):
        shutil.copytree(small.folder / name, folder / name)
    shutil.copy(small.folder / "params.yaml", folder)
    return Project(folder)


@pytest.fixture(scope="module")
def asked(project, browser) -> Project:
    """The project after an app was shown lesions and discs, and ended."""
    with app(project.folder) as (address, _), opened(browser, f"{address}/?task=lesions") as page:
        upload(page, *[(f"{number}.png", lesion(number)) for number in range(DRAWN)], ("chess.png", chessboard()))
        page.get_by_text(re.compile(r"\d+ predicted, \d+ could not be used")).wait_for()
        settled(page)
    return project


@pytest.fixture(scope="module")
def address(asked, browser) -> Iterator[str]:
    with app(asked.folder) as (address, _):
        yield address


def test_what_an_app_has_counted_is_written_when_it_ends(asked):
    (day,) = Path(asked.folder, "data/monitor/lesions").glob("*.json")
    assert b".png" not in day.read_bytes()
    assert not Path(asked.folder, "data/monitor/breast").exists()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_the_page_fits_each_theme_and_width(browser, address, scheme, width):
    with opened(
        browser, f"{address}/monitor?task=lesions", color_scheme=scheme, viewport={"width": width, "height": 900}
    ) as page:
        page.get_by_role("heading", name="Against the training data").wait_for()
        settled(page)
        assert metric(page, "Samples") == f"{DRAWN + 1}"
        assert page.get_by_test_id("stAlertContainer").get_by_text("the last 7 days").count() == 1
        page.get_by_text("All samples came on").wait_for()
        assert not page.get_by_text(re.compile(r"direction \d")).count()  # which has no meaning for a reader
        for says in CHARTS:
            chart = page.locator(f"[aria-label^='{says}']").first
            chart.wait_for()
            assert chart.bounding_box()["width"] > 200
        assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
