"""Curves of a model as (step, name, value), from which MLflow draws those of several runs in one chart."""

import csv
from pathlib import Path

from pipeline.core import artifacts

CURVE = "curve/sensitivity_by_1-specificity"


def roc(path: Path) -> list[tuple[int, str, float]]:
    """Return a ROC curve as a metric's history, so that MLflow draws those of several runs in one chart.

    Its steps are 1 - specificity in percent, its values the sensitivity. Empty where there is no curve.
    """
    steps: dict[int, float] = {}
    for row in rows_of(path):
        step = round(100 * float(row["fpr"]))
        steps[step] = max(steps.get(step, 0.0), float(row["tpr"]))
    return [(step, CURVE, value) for step, value in sorted(steps.items())]


def losses(path: Path) -> list[tuple[int, str, float]]:
    """Return the losses of a history.csv by epoch; empty where there is none."""
    named = [(row, name) for row in rows_of(path) for name in ("loss", "val_loss")]
    return [(int(row["epoch"]), name, float(row[name])) for row, name in named if row[name]]


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV that git keeps; none where there is no such file."""
    return list(csv.DictReader(artifacts.read_text(path).splitlines())) if path.exists() else []
