"""One answer to several samples: the pooled one that was measured, its parts, and when there is none."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.core.paths import TaskPaths
from pipeline.data.dataset import Dataset
from pipeline.prediction.decision_rule import Calibration, DecisionRule, calibrate
from pipeline.prediction.pooling import pool
from pipeline.prediction.predictor import Predictor
from tests.helpers.models import KERAS_NOISE, export

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)
RULE = DecisionRule(
    threshold=0.4, calibration=Calibration("sigmoid", slope=0.7, intercept=0.2), pooling="top_2", unit="group"
)


@pytest.fixture
def predictor(table, work_in_copy):
    """A bundle of rows that pools them."""
    work_in_copy(table)
    return Predictor(export("line", TaskPaths("t").best, RULE))


@pytest.fixture
def rows(predictor):
    """Five rows of the development set, as text."""
    table = Dataset.read("t", "dev").X("columns").iloc[:5]
    cells = [
        {name: "" if cell != cell else str(cell) for name, cell in row.items()} for row in table.to_dict("records")
    ]
    return [(f"row {number}", row) for number, row in enumerate(cells, start=1)]


def raw_of(predictor, rows):
    return np.stack([predictor.score(predictor.load(row)).raw for _, row in rows])


def test_the_answer_is_the_pooled_and_then_calibrated_one(predictor, rows):
    item = predictor.predict_group(rows, "P1")
    expected = calibrate(pool(raw_of(predictor, rows), np.zeros(5, int), 1, "top_2"), RULE)[0]
    assert list(item["probabilities"].values()) == pytest.approx(expected, abs=1e-6)
    assert item["class"] == predictor.classes[int(expected[1] >= 0.4)]
    assert (item["file"], item["n"], item["n_used"], item["pooling"]) == ("P1", 5, 5, "top_2")
    assert item["decision"].endswith("from 5 of 5 samples by top_2")
    assert [sample["file"] for sample in item["samples"]] == [name for name, _ in rows]


def test_a_sample_alone_gets_the_same_answer_as_ever(predictor, rows):
    name, row = rows[0]
    item, single = predictor.predict_group(rows[:1], "P1"), predictor.predict(row, name)
    assert item["probabilities"] == single["probabilities"]
    assert item["class"] == single["class"]
    assert item["samples"] == [single | {"contribution": None, "differs": False}]


def test_a_contribution_is_what_leaving_the_sample_out_changes(predictor, rows):
    item = predictor.predict_group(rows, "P1")
    for k, sample in enumerate(item["samples"]):
        without = predictor.predict_group(rows[:k] + rows[k + 1 :], "P1")
        change = item["probabilities"][item["class"]] - without["probabilities"][item["class"]]
        assert sample["contribution"] == pytest.approx(change, abs=2e-6)
        assert sample["differs"] == (sample["class"] != item["class"])
    assert {sample["differs"] for sample in item["samples"]} == {True, False}


def test_what_cannot_be_used_is_counted_and_left_out(predictor, rows):
    bad = ("bad", rows[0][1] | {"age": "old"})
    item = predictor.predict_group([*rows[:2], bad], "P1")
    assert (item["n"], item["n_used"]) == (3, 2)
    assert item["probabilities"] == predictor.predict_group(rows[:2], "P1")["probabilities"]
    assert item["reason"].startswith("1 of 3 samples could not be used: bad: ")
    assert (item["samples"][2]["class"], item["samples"][2]["contribution"]) == ("", None)


def test_fewer_than_half_are_refused(predictor, rows):
    bad = ("bad", {})
    assert predictor.predict_group([rows[0], bad], "P1")["class"]
    item = predictor.predict_group([rows[0], bad, bad], "P1")
    assert (item["refused"], item["class"], item["probabilities"], item["n"], item["n_used"]) == (True, "", {}, 3, 0)
    assert "2 of 3 samples could not be used" in item["reason"]
    assert "at least half of its samples" in item["reason"]
    assert [sample["class"] != "" for sample in item["samples"]] == [True, False, False]
    item = predictor.predict_group([bad], "P1")
    assert item["reason"] == item["samples"][0]["reason"] != ""


def test_a_model_without_groups_refuses_to_pool(predictor, rows):
    predictor.info.__dict__["rule"] = replace(RULE, pooling="")
    assert predictor.predict_group(rows[:1], "P1")["class"]
    item = predictor.predict_group(rows, "P1")
    assert (item["refused"], item["class"]) == (True, "")
    assert "developed with one sample per group" in item["reason"]


def test_one_usable_sample_of_a_model_without_groups_names_no_pooling(predictor, rows):
    predictor.info.__dict__["rule"] = replace(RULE, pooling="")
    item = predictor.predict_group([rows[0], ("bad", {})], "P1")
    assert item["decision"].endswith(", from 1 of 2 samples")


def test_the_warning_of_a_bundle_goes_with_the_answer(predictor, rows):
    predictor.info.__dict__["warning"] = "not better than guessing"
    assert predictor.predict_group(rows, "P1")["warning"] == "not better than guessing"
