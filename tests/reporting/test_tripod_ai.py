"""The TRIPOD+AI checklist."""

import re

import pytest

from pipeline.core import artifacts
from pipeline.reporting import results, tripod_ai
from pipeline.reporting.page import render
from tests.helpers.models import KERAS_NOISE
from tests.helpers.reports import Page

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)


def test_all_27_items_are_answered_or_left_to_the_author(rows):
    study = tripod_ai.checklist(results.read("t"))
    assert len(study) == 52
    assert {int(re.match(r"\d+", row.number).group()) for row in study} == set(range(1, 28))
    page = Page(render("t"))
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    answered = {row.number: row for row in study if row.answer}
    assert all(row.section in ids for row in answered.values())
    assert {"12a", "20a", "23a"} <= set(answered)
    assert not {"5b", "17", "18a"} & set(answered)  # no artefact can know these
    assert page.text.count("for the author") >= len(study) - len(answered)


def test_tuned_hyperparameters_are_reported(rows):
    path = f"reports/t/cv/{results.read('t').winner}.json"
    tried = [{"C": c, "log_loss": 0.5} for c in (1.0, 2.0)]
    tuned = {"chosen": {"C": 1.0}, "by_fold": [{"C": 1.0}] * 5, "tried": tried}
    artifacts.write_json(path, artifacts.read_json(path) | {"tuned": tuned})
    answer = next(row.answer for row in tripod_ai.checklist(results.read("t")) if row.number == "12c")
    assert "hyperparameters selected from 2 combinations inside the training folds, none by the test set" in answer
