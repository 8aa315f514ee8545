"""Existing samples that a submitted one is compared with."""

from pathlib import Path

import pytest

from pipeline.core.errors import StageError
from pipeline.data.audit_result import Pair
from pipeline.retraining.existing_samples import Existing, ExistingSamples, positions
from tests.helpers.uploads import make_table, new, submit


def test_an_objection_names_the_reason():
    assert "in the test set" in Existing("a.png", "x", "test").objection("x", "the same sample")
    assert "with the label 'x' (a.png)" in Existing("a.png", "x", "dev").objection("y", "the same sample")
    assert Existing("a.png", "x", "dev").objection("x", "the same sample") == "already stored (a.png)"


def test_rows_are_found_by_value(empty_folder):
    make_table()
    rows = ExistingSamples("skin").rows()
    assert rows.find({"age": "3.50", "site": "leg"}) == rows.find({"age": "3.5", "site": "leg"}) is not None
    assert rows.find({"age": "99", "site": "leg"}) is None


def test_the_most_similar_position_comes_first():
    pairs = [Pair(0, 2, "resized", 0.8, True), Pair(2, 1, "exact", 1.0, True), Pair(0, 1, "exact", 1.0, True)]
    assert [other for other, _ in positions(pairs, 2)] == [1, 0]


def test_a_task_without_split_accepts_nothing(project):
    Path("data/skin/split.csv").unlink()
    with pytest.raises(StageError, match="split@skin"):
        submit(new(1))
