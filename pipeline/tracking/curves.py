"""Curves of a model as (step, name, value), from which MLflow draws those of several runs in one chart."""

import csv
from pathlib import Path

import pandas as pd

CURVE = "curve/sensitivity_by_1-specificity"


def roc(path: Path) -> list[tuple[int, str, float]]:
    """Return a ROC curve as a metric's history, so that MLflow draws those of several runs in one chart.

    Its steps are 1 - specificity in percent, its values the sensitivity. Empty where there is no curve.
    """
    if not path.exists():
        return []
    curve = pd.read_csv(path)
    steps = curve.groupby((100 * curve["fpr"]).round().astype(int))["tpr"].max()
    return [(int(step), CURVE, float(value)) for step, value in steps.items()]


def losses(path: Path) -> list[tuple[int, str, float]]:
    """Return the losses of a history.csv by epoch; empty where there is none."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [(int(row["epoch"]), name, float(row[name])) for row in rows for name in ("loss", "val_loss") if row[name]]
