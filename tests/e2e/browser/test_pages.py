"""The pages Compare and Data in a real Chromium, on the results of the small graph."""

import re

import pandas as pd

from tests.helpers.browser import opened, settled
from tests.helpers.projects import Project


def metric(page, name: str) -> str:
    """Return a figure that the page shows large."""
    return page.get_by_test_id("stMetric").filter(has_text=name).get_by_test_id("stMetricValue").inner_text()


def rows(page, title: str) -> list[list[str]]:
    """Return the cells of the table that says `title` to a screen reader, without its head."""
    table = page.get_by_test_id("stTable").filter(has=page.locator(f"[aria-label='{title}']"))
    lines = table.locator("tbody tr").all()
    return [[cell.strip() for cell in line.locator("td, th").all_inner_texts()] for line in lines]


def test_the_threshold_slider_works_by_keyboard(browser, address, project: Project):
    winner = pd.read_json(project.folder / "reports/lesions/selection.json", typ="series")["winner"]
    table = pd.read_csv(project.folder / f"reports/lesions/figures/{winner}/thresholds.csv")
    start = table.index[table["in_use"] == "yes"][0]
    step = next(
        k for k in range(1, start) if f"{table['sensitivity'][start - k]:.3f}" != f"{table['sensitivity'][start]:.3f}"
    )
    with opened(browser, f"{address}/compare?task=lesions") as page:
        page.get_by_role("tab", name="Threshold").click()
        slider = page.get_by_role("slider")
        slider.wait_for()
        settled(page)
        assert metric(page, "Sensitivity") == f"{table['sensitivity'][start]:.3f}"
        slider.focus()
        for _ in range(step):
            page.keyboard.press("ArrowLeft")
        expected = f"{table['sensitivity'][start - step]:.3f}"
        page.get_by_test_id("stMetricValue").filter(has_text=re.compile(f"^{re.escape(expected)}$")).first.wait_for()
        settled(page)
        assert metric(page, "Sensitivity") == expected
        page.get_by_text("The model decides at 0.5").wait_for()


def test_the_page_s_counts_are_the_split_table_s(browser, address, project: Project):
    split = pd.read_csv(project.folder / "data/lesions/split.csv", dtype=str, keep_default_na=False)
    with opened(browser, f"{address}/data?task=lesions") as page:
        for name, subset in (("Development", "dev"), ("Test", "test"), ("Excluded", "excluded")):
            assert metric(page, name) == str((split["subset"] == subset).sum())
        result = {line[0]: line[1:] for line in rows(page, "Samples of lesions by class and part of the split")}
        test = split[split["subset"] == "test"]
        counts = [str((test["label"] == label).sum()) for label in ("benign", "malignant")]
        assert result["test"] == [*counts, str(len(test))]


def test_audit_pairs_are_side_by_side_on_a_phone(browser, address):
    with opened(browser, f"{address}/data?task=lesions", viewport={"width": 390, "height": 844}) as page:
        page.get_by_role("heading", name="What the audit found").wait_for()
        settled(page)
        demo_images = page.get_by_test_id("stImage").locator("img")
        assert demo_images.count() >= 2
        left, right = demo_images.nth(0), demo_images.nth(1)
        left.scroll_into_view_if_needed()
        page.wait_for_function(
            "[...document.querySelectorAll('[data-testid=stImage] img')].slice(0, 2).every(one => one.naturalWidth > 0)"
        )
        assert left.get_attribute("alt")
        assert right.bounding_box()["x"] > left.bounding_box()["x"]
        assert abs(right.bounding_box()["y"] - left.bounding_box()["y"]) < 100
        assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
