"""A comparison in words: what it recommends, and what to look at first."""

from typing import Any

import pytest

from pipeline.retraining import recommendation


def row(difference: float = 0.0, low: float = -0.01, high: float = 0.01) -> dict[str, Any]:
    return {"champion": 0.8, "challenger": 0.8 + difference, "difference": difference, "ci": [low, high]}


def batch(**changes: Any) -> dict[str, Any]:
    """Return what `newcomers.describe` says of ten samples that are like the hundred of development."""
    found = {
        "n": 10, "labels": {"a": 4, "b": 6}, "left_out": {}, "joined": 0, "told_by": [], "refused": 0.0, "refused_ci": [0, 0.2],
        "development": {"a": {"before": 40, "with_it": 44}, "b": {"before": 60, "with_it": 66}},
        "drift": {"n": 10, "farther": 0.5, "ci": [0.4, 0.6], "distance": {"training": 1, "batch": 1}},
    }  # fmt: skip
    return found | changes


def comparison(**changes: Any) -> dict[str, Any]:
    found = {
        "guarded": ["roc_auc"], "metrics": {"roc_auc": row(), "brier_score_loss": row()}, "margin": 0.02,
        "per_class": {"a": {"f1": row(), "roc_auc": row()}, "b": {"f1": row(), "roc_auc": row()}}, "subgroups": [],
        "batch": batch(), "recommendation": "Promote: it is better.", "cautions": [],
    }  # fmt: skip
    return found | changes


def test_of_an_ordinary_batch_there_is_nothing_to_look_at():
    assert recommendation.cautions(comparison()) == []


def test_a_class_and_a_subgroup_that_lose_beyond_the_margin_are_named_but_no_subgroup_of_few():
    worse = row(-0.1, -0.2, -0.03)
    groups = [
        {"column": "sex", "value": "female", "n": 50, "few": False, "metrics": {"accuracy": worse}},
        {"column": "sex", "value": "male", "n": 5, "few": True, "metrics": {"accuracy": worse}},
        {"column": "age", "value": "under 40", "n": 50, "few": False, "metrics": {"accuracy": row(-0.1, -0.2, -0.01)}},
    ]
    classes = {"a": {"f1": worse, "roc_auc": worse}, "b": {"f1": row()}}
    found = recommendation.cautions(comparison(subgroups=groups, per_class=classes))
    assert [one.split(":")[0] for one in found] == ["Worse of a", "Worse where sex is female"]
    assert "f1 0.800 before, 0.700 with it (difference -0.100 [-0.200, -0.030])" in found[0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"refused": 0.4, "refused_ci": [0.2, 0.6]}, "unlike the training data: the champion refuses 40% of it"),
        ({"drift": {"farther": 0.8, "ci": [0.7, 0.9]}}, "the new one lies farther off in 80% [70%, 90%]"),
        ({"labels": {"b": 10}}, "classes in other shares: 100% of it is b, of development 60%"),
        ({"left_out": {"leak": 2, "conflict": 1}}, "leaves out 3 of 10: 2 for leak, 1 for conflict"),
        (
            {"labels": {"b": 10}, "told_by": [{"name": "width", "accuracy": 0.98, "majority": 0.5}]},
            "told from the rest by width (98% right), and 100% of it is b, of development 60%: the model may learn where",
        ),
    ],
)
def test_what_is_odd_about_a_batch_is_said_with_its_figures(changes, said):
    (found,) = recommendation.of_batch(batch(**changes))
    assert said in found


def test_a_batch_that_is_told_apart_but_has_all_classes_betrays_none():
    assert recommendation.of_batch(batch(told_by=[{"name": "width", "accuracy": 0.98, "majority": 0.5}])) == []


def test_the_lines_begin_with_the_recommendation_and_have_what_is_undefined_as_such():
    nan = float("nan")
    groups = [
        {
            "column": "sex",
            "value": "male",
            "n": 5,
            "few": True,
            "metrics": {"roc_auc": row(nan, nan, nan), "recall": row()},
        }
    ]
    lines = recommendation.lines(comparison(subgroups=groups, cautions=["Worse of a."]))
    assert lines[0] == "Promote: it is better."
    assert [line.split("  ")[0] for line in lines[2:-2]] == [
        "roc_auc", "brier_score_loss", "f1 of a", "f1 of b", "roc_auc where sex is male (n = 5)",
    ]  # fmt: skip
    assert lines[-3].endswith(" -")
    assert lines[-2].startswith("The batch: 10 samples (4 a, 6 b); the champion refuses 0% of it")
    assert lines[-1] == "Look at: Worse of a."


def test_figures_read_from_json_have_none_where_nothing_is_defined():
    unknown = {"farther": 0.5, "ci": [None, None]}
    assert recommendation.in_distance(batch(drift=unknown)).endswith("in 50%")
    assert "farther" not in recommendation.in_distance(batch(drift={"farther": None, "ci": [None, None]}))
