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
    """Return by title a run's main figures out of fold with their intervals, as text: "0.914 [0.881, 0.940]"."""
    texts: dict[str, str] = {}
    for key in PREFERRED:
        value = record.metrics.get(f"oof_{key}")
        if value is not None and len(texts) < MOST:
            low, high = (record.metrics.get(f"oof_{key}_{end}") for end in ("low", "high"))
            ends = "" if low is None or high is None else f" [{low:.3f}, {high:.3f}]"
            texts[title(key)] = f"{value:.3f}{ends}"
    return texts


def view(metric: str, key: str, titles: list[str]) -> JSON:
    """Return the state of MLflow's table of runs that shows today's as a leaderboard, the best first.

    `titles`: of the columns that `figures` gives.
    """
    order = f"metrics.`oof_{key}`"
    columns = ["tags.`champion`", *(f"tags.`{name}`" for name in titles)]
    columns += [order, f"metrics.`test_{key}`", "tags.`test_looks`", "params.`estimator`", "params.`features`"]
    return {
        "searchFilter": "tags.current = 'yes'",
        "orderByKey": order,
        "orderByAsc": not params_models.METRICS[metric],
        "selectedColumns": columns,
    }
