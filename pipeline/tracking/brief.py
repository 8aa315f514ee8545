"""What MLflow's table of runs opens with: a few figures with their intervals, and which run is the champion."""

from pipeline.core import params_models
from pipeline.core.artifacts import JSON
from pipeline.evaluation.metric_names import NAMES
from pipeline.tracking.run_record import Record

# The first six of these that a task has, besides the one that the champion is chosen by.
PREFERRED = (
    "roc_auc",
    "recall",
    "specificity",
    "balanced_accuracy",
    "average_precision",
    "brier_score_loss",
    "log_loss",
)
MOST = 6


def title(key: str) -> str:
    """Return the name of a figure's column: MLflow takes no brackets in names."""
    return NAMES.get(key, key).partition(" (")[0]


def figures(record: Record) -> dict[str, str]:
    """Return by title a run's main figures out of fold with their intervals, as text: ".91 .88-.94".

    MLflow's columns are as wide as this; the metrics have six digits.
    """
    texts: dict[str, str] = {}
    for key in PREFERRED:
        value = record.metrics.get(f"oof_{key}")
        if value is not None and len(texts) < MOST:
            low, high = (record.metrics.get(f"oof_{key}_{end}") for end in ("low", "high"))
            ends = "" if low is None or high is None else f" {two(low)}-{two(high)}"
            texts[title(key)] = f"{two(value)}{ends}"
    return texts


def two(value: float) -> str:
    """Return a figure with two decimals, in three characters: a column holds no more than three such figures."""
    return {"1.00": "1.0"}.get(text := f"{value:.2f}", text.removeprefix("0"))


def view(metric: str, key: str, titles: list[str]) -> JSON:
    """Return the state of MLflow's table of runs that shows today's as a leaderboard, the best first.

    `titles`: of the columns that `figures` gives.
    """
    return {
        "searchFilter": "tags.current = 'yes'",
        "orderByKey": f"metrics.`oof_{key}`",
        "orderByAsc": not params_models.METRICS[metric],
        # Metrics and parameters would stand left of tags, and move these out of sight.
        "selectedColumns": [f"tags.`{name}`" for name in ("champion", *titles)],
    }
