"""Distributions of images and columns by class."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from app.views import distributions
from pipeline.core import artifacts
from tests.helpers import pages
from tests.helpers.page_projects import CLASSES, split_table
from tests.helpers.pages import opened, text_of


def test_images_are_shown_by_size_format_intensity_and_class(photo_project):
    page = opened("data", "skin")
    texts = list(pages.charts(page))
    assert "Images by width, 60 to 60 px, and height, 40 to 40 px" in texts
    for channel in ("red", "green", "blue"):
        (text,) = (text for text in texts if text.startswith(f"Intensity of {channel} by class"))
        assert all(f"{name} 12" in text for name in CLASSES)  # noise: 127 or so
    formats = pages.table(page, "PNG RGB").set_index("Class")
    assert formats["PNG RGB"].sum() == 4 * 16 + 14 + 1
    assert set(formats["Median size (px)"]) == {"60 x 40"}


def test_development_and_test_set_can_be_shown_separately(photo_project):
    page, written = opened("data", "skin"), split_table()
    for chosen, subset in (("development", "dev"), ("test", "test")):
        page.radio[0].set_value(chosen).run()
        assert not page.exception
        assert pages.table(page, "PNG RGB")["PNG RGB"].sum() == (written["subset"] == subset).sum()


def column_box(page):
    """Return the field in which a column is chosen; the gallery has others."""
    return next(box for box in page.selectbox if box.label == "Column")


def test_numbers_categories_and_integers_are_shown_by_class(patients, monkeypatch):
    monkeypatch.chdir(patients)
    page = opened("data", "skin")
    assert column_box(page).options == ["age", "sex_at_birth", "grade"]
    assert "5 of 82 are missing." in text_of(page)
    assert pages.table(page, "Median")["Samples"].sum() == 77
    for column, kind in (("sex_at_birth", "bar"), ("grade", "bar"), ("age", "line")):
        column_box(page).select(column).run()
        assert not page.exception
        (chart,) = (spec for text, spec in pages.charts(page).items() if text.startswith(f"{column} by class"))
        assert chart["mark"]["type"] == kind


def test_a_histogram_counts_every_value_once():
    shown = pd.DataFrame({"value": [1.0, 2, 2, 3, 10, 4, 4], "name": list("aaaaabb")})
    table = distributions.binned(shown)
    assert table.groupby("name")["share"].sum().to_dict() == pytest.approx({"a": 1, "b": 1})
    of_a = table[table["name"] == "a"]
    assert of_a.loc[of_a["share"] > 0, "share"].round(1).tolist() == [0.2, 0.4, 0.2, 0.2]


def test_rare_categories_are_counted_together():
    values = [f"v{k:02}" for k in range(30) for _ in range(31 - k)]
    table = distributions.counted(pd.DataFrame({"value": values, "name": "a"}))
    assert table["value"].tolist() == [*(f"v{k:02}" for k in range(20)), "10 others"]
    assert table["n"].sum() == len(values)
    assert table["share"].sum() == pytest.approx(1)


def test_further_columns_of_a_csv_are_shown(photo_project):
    path = Path("data/skin/scan/samples.csv")
    samples = pd.read_csv(path, dtype=str, keep_default_na=False)
    artifacts.write_csv(path, samples.assign(site=["arm", "leg"] * (len(samples) // 2) + ["arm"] * (len(samples) % 2)))
    page = opened("data", "skin")
    assert column_box(page).options == ["site"]
    assert any(text.startswith("site by class") for text in pages.charts(page))


def test_eight_thousand_images_of_as_many_sizes_are_thinned(photo_project):
    rng = np.random.default_rng(0)
    paths = [f"adeno/{k}.png" for k in range(8000)]
    size = {"width": rng.integers(100, 4000, 8000), "height": rng.integers(100, 4000, 8000)}
    samples = pd.DataFrame(
        {"id": paths, "path": paths, "label": rng.choice(CLASSES, 8000), "group": "", "shipped": ""} | size
    )
    samples = samples.assign(mode="RGB", format="PNG", bytes=1, error="", age=rng.integers(20, 90, 8000))
    artifacts.write_csv("data/skin/scan/samples.csv", samples)
    artifacts.write_json("data/skin/audit.json", artifacts.read_json("data/skin/audit.json") | {"pairs": []})
    page = opened("data", "skin")
    assert "1,500 of" in text_of(page)
    assert pages.table(page, "PNG RGB")["PNG RGB"].sum() == 8000
