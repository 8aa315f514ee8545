"""Samples are shown by class, part of the split and finding."""

from app.views import gallery
from pipeline.core import artifacts
from tests.helpers import pages
from tests.helpers.page_projects import split_table
from tests.helpers.pages import opened, text_of


def choose(page, name: str, value: str):
    """Choose a value of one of the filters."""
    (box,) = [box for box in page.selectbox if box.key == f"{name} of skin"]
    page = box.set_value(value).run()
    assert not page.exception
    return page


def test_filters_show_the_samples_that_have_all_of_these(photo_project):
    page, split = opened("data", "skin"), split_table()
    assert f"Samples 1 to {gallery.AT_ONCE} of {len(split)}" in text_of(page)
    page = choose(choose(page, "label", "adeno"), "part", "development")
    n = ((split["label"] == "adeno") & (split["subset"] == "dev")).sum()
    assert f"of {n}**" in text_of(page)
    page = choose(choose(page, "part", "all"), "finding", "found twice")
    twice = {path for paths in artifacts.read_json("data/skin/audit.json")["groups"] for path in paths}
    labels = split.set_index("path")["label"]
    assert f"of {sum(labels[path] == 'adeno' for path in twice)}**" in text_of(page)
    page = choose(choose(page, "label", "normal_x"), "finding", "unreadable")
    assert "normal_x/bad.png · normal_x · excluded · unreadable: not a readable image" in text_of(page)
    page = choose(page, "part", "test")
    assert "No sample has all of these." in text_of(page)


def test_rows_are_listed_with_what_was_found(patients, monkeypatch):
    monkeypatch.chdir(patients)
    page = opened("data", "skin")
    rows = pages.table(page, "Finding")
    assert len(rows) == gallery.AT_ONCE
    assert set(rows["Class"]) == {"ill", "well"}
