"""The charts of a model's out-of-fold predictions, and the tables behind them."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core import artifacts, params
from pipeline.core.paths import TaskPaths
from pipeline.evaluation import curves, plots, suspect_labels
from pipeline.evaluation.out_of_fold import (
    Chosen,
    OutOfFold,
    Predictions,
    chosen_on,
    decide_samples,
    scaled_without_fold,
)
from pipeline.evaluation.usefulness import decision_curve
from pipeline.prediction.decision_rule import calibrate
from pipeline.stats import metrics


def write_charts(oof: OutOfFold, chosen: Chosen, area: float, paths: TaskPaths) -> None:
    """Write roc, confusion and history as CSV for `dvc plots`, all charts as PNG and the other tables among the figures.

    `area` is the report's ROC AUC.
    """
    dev, title, drawn = oof.dev, f"{oof.name}, out of fold", paths.figures(oof.name)
    rule = chosen.rule
    proba = calibrate(oof.raw, rule)
    decided = decide_samples(oof, proba, chosen)
    artifacts.write_csv(paths.plot("roc", oof.name), curves.curve(dev, proba))
    plots.roc(dev, proba, area, title, drawn / "roc.png")
    artifacts.write_csv(paths.plot("confusion", oof.name), curves.confusion_rows(dev, decided))
    plots.confusion(metrics.confusion(dev.y, decided, len(dev.classes)), dev.classes, oof.name, drawn / "confusion.png")
    write_training_charts(oof, title, paths.plot("history", oof.name), drawn)
    write_calibration_charts(oof, chosen, title, drawn)
    coverage = curves.coverage(decided != dev.y, proba[np.arange(len(dev.y)), decided], oof.distance)
    artifacts.write_csv(drawn / "coverage.csv", coverage)
    plots.coverage(coverage, title, drawn / "coverage.png")
    if dev.positive:
        artifacts.write_csv(drawn / "thresholds.csv", curves.thresholds(dev, proba, rule.threshold))
        write_decision_curve(oof, chosen, title, drawn)


def unseen_proba(oof: OutOfFold, chosen: Chosen) -> np.ndarray:
    """Return the samples' probabilities (n, n_classes), calibrated without them."""
    on = chosen_on(oof, chosen)
    return scaled_without_fold(Predictions(oof.dev, oof.raw), chosen.rule, on)


def suspects(oof: OutOfFold, chosen: Chosen) -> pd.DataFrame:
    """Return the development samples whose label is suspect (`suspect_labels.table`); of repeated folds by the first."""
    rows = np.arange(len(oof.dev.y) // oof.repeats)
    return suspect_labels.table(oof.dev.rows(rows), unseen_proba(oof, chosen)[rows])


def write_decision_curve(oof: OutOfFold, chosen: Chosen, title: str, drawn: Path) -> None:
    """Write the decision curve of two classes."""
    point = params.task(params.model(oof.name).task).select.operating_point
    proba = unseen_proba(oof, chosen)
    table = decision_curve.curve(oof.dev, proba[:, 1], int(oof.dev.fold.max()) + 1)
    artifacts.write_csv(drawn / "decision_curve.csv", table)
    plots.decision_curve(table, point.threshold_range, title, drawn / "decision_curve.png")


def write_training_charts(oof: OutOfFold, title: str, losses: Path, drawn: Path) -> None:
    """Write the losses by epoch, the mean over folds, to `losses`, and of a table the importance of columns."""
    history = pd.read_csv(oof.folder / "history.csv").groupby("epoch", as_index=False)[["loss", "val_loss"]].mean()
    artifacts.write_csv(losses, history)
    plots.history(history, oof.name, drawn / "history.png")
    if (oof.folder / "importance.csv").exists():
        importance = pd.read_csv(oof.folder / "importance.csv", dtype={"column": str}, keep_default_na=False)
        artifacts.write_csv(drawn / "importance.csv", importance)
        plots.importance(importance, title, drawn / "importance.png")


def write_calibration_charts(oof: OutOfFold, chosen: Chosen, title: str, drawn: Path) -> None:
    """Write the reliability diagram and the calibration curve."""
    proba = unseen_proba(oof, chosen)
    bins, smooth = curves.reliability(oof.dev, proba), curves.flexible(oof.dev, proba)
    artifacts.write_csv(drawn / "reliability.csv", bins)
    if smooth is not None:
        artifacts.write_csv(drawn / "calibration_curve.csv", smooth)
    plots.reliability(bins, smooth, oof.dev.positive, title, drawn / "reliability.png")
