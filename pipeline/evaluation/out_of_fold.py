"""A model's out-of-fold predictions: the decision rule chosen on them, the report and the charts."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core import artifacts, params
from pipeline.core.params_models import SelectParams
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require
from pipeline.data.dataset import Dataset
from pipeline.evaluation import calibration, curves, decision_curve, operating_point, plots, sample_size, subgroups
from pipeline.evaluation.report import CalibrationReport, Report
from pipeline.evaluation.scoring import assess, with_refusals
from pipeline.prediction import ood_images, ood_tables
from pipeline.prediction.decision_rule import Calibration, DecisionRule, calibrate
from pipeline.stats import logistic_calibration, metrics
from pipeline.training.candidate import Candidate


@dataclass(frozen=True)
class OutOfFold:
    """Out-of-fold predictions of the model `name`, each sample `repeats` times, one repeat after the other.

    `dev`: the samples, as many times; `raw` (n, n_classes): probabilities that are not calibrated; `distance` (n,): how far
    from the training data; `beyond` (n,): how far clinical columns are out of range, None where there are none; `parts`: the
    subgroups of a single repeat.
    """

    name: str
    folder: Path
    dev: Dataset
    raw: np.ndarray
    distance: np.ndarray
    beyond: np.ndarray | None
    repeats: int
    parts: subgroups.Subgroups


def read(name: str) -> OutOfFold:
    """Return what `train@name` predicted."""
    task = params.model(name).task
    folder = require(TaskPaths(task).candidate_json(name), f"train@{name}").parent
    dev = Dataset.read(task, "dev")
    saved = np.load(folder / "oof.npz")
    repeats = len(saved["proba"]) // len(dev.y)
    return OutOfFold(
        name=name,
        folder=folder,
        dev=dev.tiled(repeats),
        raw=saved["proba"],
        distance=np.tile(saved["distance"], repeats),
        beyond=np.tile(saved["beyond"], repeats) if "beyond" in saved else None,
        repeats=repeats,
        parts=subgroups.read(task, "dev", dev),
    )


def choose_rule(oof: OutOfFold) -> tuple[DecisionRule, CalibrationReport]:
    """Return the decision rule, and the report on how the calibration was chosen."""
    name = params.model(oof.name).task
    task = params.task(name)
    operating_point.check_classes(oof.dev.classes, task.select.operating_point, name)
    chosen, how = calibration.choose(oof.dev, oof.raw, task.select.draws, params.seed())
    proba = calibrate(oof.raw, DecisionRule(calibration=chosen))
    limit = ood_tables.FAR if task.kind == "table" else ood_images.threshold(oof.distance)
    rule = operating_point.choose(oof.dev, proba, task.select.operating_point)
    return replace(rule, calibration=chosen, refusal=artifacts.rounded(limit)), how


def decide_samples(oof: OutOfFold, proba: np.ndarray, rule: DecisionRule) -> np.ndarray:
    """Return what each sample is decided to be, int (n,), by a threshold that was chosen without it."""
    point = params.task(params.model(oof.name).task).select.operating_point
    return operating_point.decide_out_of_fold(oof.dev, proba, rule, point)


def score(oof: OutOfFold, rule: DecisionRule, how: CalibrationReport, select: SelectParams) -> Report:
    """Return the model's report; `how` is that of `choose_rule`."""
    dev, draws, seed = oof.dev, select.draws, params.seed()
    proba = calibrate(oof.raw, rule)
    decided = decide_samples(oof, proba, rule)
    n_folds = int(dev.fold.max()) + 1
    report = assess(dev, proba, decided, draws, seed, n_folds)
    if rule.calibration != Calibration():
        unseen = assess(dev, calibration.out_of_fold(dev, oof.raw, rule), decided, draws, seed, n_folds)
        names = [name for name in (*calibration.SCALED, *logistic_calibration.NAMES) if name in unseen.figures]
        scaled = {name: unseen[name] for name in names}
        ci = {name: unseen.ci[name] for name in names if name in unseen.ci}
        report = replace(report, figures=report.figures | scaled, ci=report.ci | ci)
    report = decision_curve.with_net_benefit(report, dev, decided, rule.threshold, n_folds)
    chosen = operating_point.notes_on_choice(dev, rule, select.operating_point)
    report = replace(report, notes=[*report.notes, *chosen])
    if oof.repeats > 1:
        note = f"each sample was predicted {oof.repeats} times, by models of other folds; all are counted"
        counts = replace(report.counts, n=len(dev.y) // oof.repeats, repeats=oof.repeats)
        report = replace(report, counts=counts, notes=[*report.notes, note])
    point = operating_point.describe(report, rule, select.operating_point.prevalence) if dev.positive else None
    candidate, refused = Candidate.read(oof.folder), oof.distance > rule.refusal
    if oof.beyond is not None:
        refused |= oof.beyond > ood_tables.FAR
    return replace(
        with_refusals(report, dev, decided, refused, n_folds),
        calibration=how,
        operating_point=point,
        sample_size=sample_size.describe(report, candidate.schema),
        tuned=candidate.tuned,
        subgroups=subgroups.score(oof.parts, dev, proba, decided, draws, oof.repeats, n_folds),
    )


def write_charts(oof: OutOfFold, rule: DecisionRule, area: float, numbers: Path, drawn: Path) -> None:
    """Write roc, confusion and history as CSV to `numbers`, all charts as PNG and the other tables to `drawn`.

    `area` is the report's ROC AUC.
    """
    dev, title = oof.dev, f"{oof.name}, out of fold"
    proba = calibrate(oof.raw, rule)
    decided = decide_samples(oof, proba, rule)
    artifacts.write_csv(numbers / "roc.csv", curves.curve(dev, proba))
    plots.roc(dev, proba, area, title, drawn / "roc.png")
    artifacts.write_csv(numbers / "confusion.csv", curves.cases(dev, decided))
    plots.confusion(metrics.confusion(dev.y, decided, len(dev.classes)), dev.classes, oof.name, drawn / "confusion.png")
    write_training_charts(oof, title, numbers, drawn)
    write_calibration_charts(oof, rule, title, drawn)
    coverage = curves.coverage(decided != dev.y, proba[np.arange(len(dev.y)), decided], oof.distance)
    artifacts.write_csv(drawn / "coverage.csv", coverage)
    plots.coverage(coverage, title, drawn / "coverage.png")
    if dev.positive:
        artifacts.write_csv(drawn / "thresholds.csv", curves.thresholds(dev, proba, rule.threshold))
        write_decision_curve(oof, rule, title, drawn)


def write_decision_curve(oof: OutOfFold, rule: DecisionRule, title: str, drawn: Path) -> None:
    """Write the decision curve of two classes."""
    point = params.task(params.model(oof.name).task).select.operating_point
    proba = calibration.out_of_fold(oof.dev, oof.raw, rule)
    table = decision_curve.curve(oof.dev, proba[:, 1], int(oof.dev.fold.max()) + 1)
    artifacts.write_csv(drawn / "decision_curve.csv", table)
    plots.decision_curve(table, point.threshold_range, title, drawn / "decision_curve.png")


def write_training_charts(oof: OutOfFold, title: str, numbers: Path, drawn: Path) -> None:
    """Write the losses by epoch, the mean over folds, and of a table the importance of columns."""
    history = pd.read_csv(oof.folder / "history.csv").groupby("epoch", as_index=False)[["loss", "val_loss"]].mean()
    artifacts.write_csv(numbers / "history.csv", history)
    plots.history(history, oof.name, drawn / "history.png")
    if (oof.folder / "importance.csv").exists():
        importance = pd.read_csv(oof.folder / "importance.csv", dtype={"column": str}, keep_default_na=False)
        artifacts.write_csv(drawn / "importance.csv", importance)
        plots.importance(importance, title, drawn / "importance.png")


def write_calibration_charts(oof: OutOfFold, rule: DecisionRule, title: str, drawn: Path) -> None:
    """Write the reliability diagram and the calibration curve."""
    proba = calibration.out_of_fold(oof.dev, oof.raw, rule)
    bins, smooth = curves.reliability(oof.dev, proba), curves.flexible(oof.dev, proba)
    artifacts.write_csv(drawn / "reliability.csv", bins)
    if smooth is not None:
        artifacts.write_csv(drawn / "calibration_curve.csv", smooth)
    plots.reliability(bins, smooth, oof.dev.positive, title, drawn / "reliability.png")
