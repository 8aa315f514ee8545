"""A comparison in words: the recommendation, and what to check first."""

import pytest

from pipeline.data.audit_result import Shortcut
from pipeline.retraining import recommendation
from pipeline.retraining.records import Drift, SubgroupChange
from tests.helpers.comparisons import change, make_comparison, make_profile


def test_an_ordinary_batch_raises_no_caution():
    assert recommendation.cautions(make_comparison()) == []


def test_parts_that_get_worse_are_named_unless_small():
    worse = change(-0.1, -0.2, -0.03)
    groups = [
        SubgroupChange("sex", "female", 50, False, {"accuracy": worse}),
        SubgroupChange("sex", "male", 5, True, {"accuracy": worse}),
        SubgroupChange("age", "under 40", 50, False, {"accuracy": change(-0.1, -0.2, -0.01)}),
    ]
    classes = {"a": {"f1": worse, "roc_auc": worse}, "b": {"f1": change()}}
    result = recommendation.cautions(make_comparison(subgroups=groups, per_class=classes))
    assert [figure.split(":")[0] for figure in result] == ["Worse of a", "Worse where sex is female"]
    assert "f1 0.800 before, 0.700 with the batch (difference -0.100 [-0.200, -0.030])" in result[0]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"refused": 0.4, "refused_ci": [0.2, 0.6]}, "differs from the training data: the champion refuses 40% of it"),
        ({"drift": Drift(10, 0.8, (0.7, 0.9))}, "80% [70%, 90%] of new samples are farther from the training data"),
        ({"labels": {"b": 10}}, "class balance differs: 100% of the batch is b (60% of development)"),
        ({"left_out": {"leak": 2, "conflict": 1}}, "leaves out 3 of 10: 2 for leak, 1 for conflict"),
        (
            {"labels": {"b": 10}, "shortcuts": [Shortcut("width", 0.98, 0.5, 0.97)]},
            "width (ROC AUC 0.97) distinguishes the batch from the rest, and 100% of the batch is b (60% of development)",
        ),
    ],
)
def test_an_unusual_batch_is_described_with_its_figures(changes, sentence):
    (caution,) = recommendation.of_batch(make_profile(**changes))
    assert sentence in caution


def test_a_shortcut_without_class_shift_raises_no_caution():
    assert recommendation.of_batch(make_profile(shortcuts=[Shortcut("width", 0.98, 0.5, 0.97)])) == []
    assert str(Shortcut("width", 0.98, 0.5)) == "width (accuracy 98%)"  # of a record without ROC AUC


def test_lines_begin_with_the_recommendation_and_mark_undefined_figures():
    nan = float("nan")
    metrics = {"roc_auc": change(nan, nan, nan), "recall": change()}
    groups = [SubgroupChange("sex", "male", 5, True, metrics)]
    lines = recommendation.lines(make_comparison(subgroups=groups, cautions=["Worse of a."]))
    assert lines[0] == "Promote: it is better."
    assert [line.split("  ")[0] for line in lines[2:-2]] == [
        "roc_auc", "brier_score_loss", "f1 of a", "f1 of b", "roc_auc where sex is male (n = 5)",
    ]  # fmt: skip
    assert lines[-3].endswith(" -")
    assert lines[-2].startswith("The batch: 10 samples (4 a, 6 b); the champion refuses 0% of it")
    assert lines[-1] == "Check first: Worse of a."


def test_a_batch_without_interval_or_distance_is_described():
    assert "and 50% of new samples are farther" in recommendation.in_distance(make_profile(drift=Drift(10, 0.5)))
    assert "farther" not in recommendation.in_distance(make_profile(drift=Drift(0, None)))


def test_a_batch_that_seems_to_show_known_patients_is_not_recommended():
    assert recommendation.of_clusters(make_profile()) == ""
    text = recommendation.of_clusters(make_profile(clusters="rows share their label"))
    assert text.startswith("Do not promote: with the batch, rows share their label. ")


def test_a_batch_of_which_nothing_takes_part_is_not_recommended():
    assert recommendation.of_unused(make_profile(left_out={"leak": 9})) == ""
    text = recommendation.of_unused(make_profile(left_out={"leak": 9, "conflict": 1}))
    assert text == (
        "Do not promote: nothing of the batch takes part. The audit leaves out 10 of 10: 9 for leak, 1 for conflict."
    )
