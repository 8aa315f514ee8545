"""A made-up comparison of champion and challenger that tests change."""

from dataclasses import replace
from typing import Any

from pipeline.retraining.records import BatchProfile, Change, Comparison, Drift


def change(difference: float = 0.0, low: float = -0.01, high: float = 0.01) -> Change:
    """Return a metric that was 0.8."""
    return Change(0.8, 0.8 + difference, difference, (low, high))


def make_profile(**changes: Any) -> BatchProfile:
    """Return the profile of ten samples that are like the hundred of development."""
    development = {"a": {"before": 40, "with_it": 44}, "b": {"before": 60, "with_it": 66}}
    drift = Drift(10, 0.5, (0.4, 0.6), {"training": 1.0, "batch": 1.0})
    return replace(BatchProfile(10, {"a": 4, "b": 6}, {}, 0, [], development, 0.0, (0.0, 0.2), drift), **changes)


def make_comparison(**changes: Any) -> Comparison:
    """Return a comparison in which nothing changes."""
    champion, metrics = {"model": "m", "bundle": "old"}, {"roc_auc": change(), "brier_score_loss": change()}
    classes = {label: {"f1": change(), "roc_auc": change()} for label in "ab"}
    comparison = Comparison(
        champion, champion, 100, "roc_auc", 0.02, ["roc_auc"], [], True, "Promote: it is better.", metrics, classes, [],
        make_profile(), ["0" * 16],
    )  # fmt: skip
    return replace(comparison, **changes)
