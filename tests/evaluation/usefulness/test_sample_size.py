"""A table's sample size is held against the parameters of its columns."""

from dataclasses import replace

import pytest

from pipeline.data.tabular.formats import Field
from pipeline.evaluation.report import Counts, Report
from pipeline.evaluation.usefulness.sample_size import describe, in_words, n_parameters

FIELDS = [Field("age", "number"), Field("site", "choice", choices=["arm", "leg", "head"])]
COUNTS = Counts(120, 100, {"well": 70, "ill": 30}, {"well": {"well": 80, "ill": 4}, "ill": {"well": 6, "ill": 30}})
REPORT = Report({"log_loss": 0.45}, counts=COUNTS)


def test_category_of_three_values_has_two_parameters():
    assert n_parameters(FIELDS) == 3


def test_events_are_counted_by_group():
    size = describe(REPORT, FIELDS)
    assert (size.n, size.events, size.events_per_parameter) == (100, 30, 10)
    assert size.minimum == max(size.criteria.values())
    assert f"is {size.minimum}: not met" in in_words(size)


def test_better_model_needs_fewer_samples():
    better = describe(replace(REPORT, figures={"log_loss": 0.3}), FIELDS)
    assert better.criteria["shrinkage"] < describe(REPORT, FIELDS).criteria["shrinkage"]


def test_perfect_or_useless_model_has_a_finite_minimum():
    for loss in (0.0, 0.9):
        assert 0 < describe(replace(REPORT, figures={"log_loss": loss}), FIELDS).minimum < 10_000


def test_images_have_no_parameters_to_count():
    assert describe(REPORT, []) is None


def test_more_than_two_classes_have_no_minimum():
    counts = Counts(9, 9, dict.fromkeys("abc", 3), {name: {"a": 3, "b": 0, "c": 0} for name in "abc"})
    size = describe(Report({"log_loss": 0.9}, counts=counts), FIELDS)
    assert size.minimum is None
    assert in_words(size) == "9 groups of samples, 3 of the rarest class, for 3 parameters: 1.0 events per parameter."
    assert size.events_per_parameter == pytest.approx(1)
