"""The probe finds a property that gives the class away, and is not taken in by chance."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data import tables
from pipeline.data.audit_result import Shortcut
from pipeline.duplicates.shortcuts import as_numbers, find_shortcuts, missing_cells, properties_of_rows

pytestmark = pytest.mark.filterwarnings("error")
RNG = np.random.default_rng(0)
LABELS = np.array(["a", "b", "c"])[np.arange(300) % 3]
ALONE = np.arange(300)


def test_a_width_that_predicts_one_class_names_that_class():
    width = np.where(LABELS == "c", 512.0, RNG.integers(200, 400, 300))
    result = find_shortcuts({"width": width}, LABELS, ALONE)
    item = {shortcut.name: shortcut for shortcut in result}["width (c vs rest)"]
    assert item.accuracy == 1
    assert item.majority == pytest.approx(2 / 3)


def test_a_width_right_in_nine_of_ten_scans_is_reported():
    # 150 scans of 6 slices, a fifth of them normal and taken by a scanner that saves larger images, mostly
    rng, scans = np.random.default_rng(1), np.arange(900) // 6
    normal = scans % 5 == 0
    width = np.where(normal, rng.normal(700, 90, 150)[scans], rng.normal(450, 110, 150)[scans])
    labels = np.where(normal, "normal", np.array(["adeno", "large", "squamous"])[scans % 3])
    result = {shortcut.name: shortcut for shortcut in find_shortcuts({"width": width.round()}, labels, scans)}
    assert result["width (normal vs rest)"].majority == pytest.approx(0.8)
    assert 0.86 < result["width (normal vs rest)"].accuracy < 0.94


def test_two_classes_are_reported_without_a_view_for_each():
    labels = np.where(LABELS == "a", "a", "b")
    result = find_shortcuts({"site": np.where(labels == "a", "north", "south")}, labels, ALONE)
    assert result == [Shortcut("site", accuracy=1.0, majority=pytest.approx(2 / 3), roc_auc=1.0)]


@pytest.mark.parametrize("prevalence", [0.05, 0.1, 0.2, 0.5])
def test_a_scanner_of_malignant_images_is_named_at_any_prevalence(prevalence):
    rng = np.random.default_rng(1)
    is_malignant = np.arange(600) < 600 * prevalence
    site = np.where(is_malignant | (rng.random(600) < 0.1), "new", "old")
    (result,) = find_shortcuts({"site": site}, np.where(is_malignant, "m", "b"), np.arange(600))
    assert result.roc_auc == pytest.approx(0.95, abs=0.03)


def test_a_mark_in_the_images_of_one_class_is_named():
    marks = np.zeros((300, 64))
    marks[LABELS == "a", 7] = RNG.uniform(0.05, 0.2, 100)
    names = [shortcut.name for shortcut in find_shortcuts({"burnt-in marks": marks}, LABELS, ALONE)]
    assert "burnt-in marks (a vs rest)" in names


def test_highlights_that_lean_to_a_class_are_not_named_marks():
    labels = np.where(LABELS == "a", "a", "b")
    marks = (RNG.random((300, 64)) < np.where(labels == "a", 0.3, 0.2)[:, None]) * 0.1
    assert find_shortcuts({"burnt-in marks": marks}, labels, ALONE) == []


def test_what_was_measured_of_the_sick_alone_is_named():
    table = pd.DataFrame({"age": RNG.normal(size=300), "biopsy": np.where(LABELS == "a", "done", "")})
    labels = np.where(LABELS == "a", "a", "b")
    assert [shortcut.name for shortcut in find_shortcuts(missing_cells(table), labels, ALONE)] == ["missing biopsy"]


def test_chance_is_not_reported():
    properties = {
        "bytes": RNG.normal(size=300),
        "colour": RNG.normal(size=(300, 3)),
        "mode": RNG.choice(["L", "RGB"], 300),
    }
    assert find_shortcuts(properties, LABELS, ALONE) == []


def test_a_property_that_only_tells_groups_apart_is_not_reported():
    # 30 patients of ten images, each with a width of its own: known by heart it gives the class, on new patients not
    groups = np.arange(300) // 10
    labels = np.array(["a", "b"])[RNG.integers(2, size=30)][groups]
    assert find_shortcuts({"width": RNG.permutation(30)[groups].astype(float)}, labels, groups) == []


def test_constant_properties_and_too_small_sets_are_skipped():
    assert find_shortcuts({"mode": np.full(300, "RGB")}, LABELS, ALONE) == []
    assert find_shortcuts({"width": np.arange(300.0)}, np.full(300, "a"), ALONE) == []
    assert find_shortcuts({"width": np.arange(300.0)}, LABELS, ALONE % 4) == []
    assert find_shortcuts({"width": np.arange(12.0)}, LABELS[:12], ALONE[:12]) == []


def test_a_class_of_two_images_is_no_obstacle():
    labels = np.array(["a", "b"] * 20 + ["c"] * 2)
    result = find_shortcuts({"site": np.where(labels == "a", "north", "south")}, labels, np.arange(42))
    assert [entry.name for entry in result] == ["site", "site (a vs rest)", "site (b vs rest)"]


def test_rare_words_count_as_one():
    words = np.array([f"site {i}" for i in range(50)] + ["big"] * 10)
    assert as_numbers(words).shape == (60, 20)
    assert as_numbers(words).sum(axis=0).max() == 10


@pytest.mark.parametrize("column", ["scanner", "Site_ID", "MRI machine", "batch no"])
def test_a_scanner_in_a_table_is_an_acquisition_property(column):
    rng = np.random.default_rng(0)
    is_ill = rng.random(400) < 0.1
    table = pd.DataFrame({"sitewise": rng.normal(size=400).round(2).astype(str)})
    table[column] = np.where(is_ill | (rng.random(400) < 0.1), "A", "B")
    properties = properties_of_rows(tables.typed(table))
    assert list(properties) == [column]
    (shortcut,) = find_shortcuts(properties, np.where(is_ill, "ill", "well"), np.arange(400))
    assert shortcut.roc_auc > 0.9
