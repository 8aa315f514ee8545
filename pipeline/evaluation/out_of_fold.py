"""A model's out-of-fold predictions: the decision rule chosen on them, the report and the charts."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.core import artifacts, params
from pipeline.core.params_models import SelectParams
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require
from pipeline.data.dataset import Dataset
from pipeline.evaluation import by_group, by_group_report, calibration, operating_point, subgroups
from pipeline.evaluation.by_group import Units
from pipeline.evaluation.report import CalibrationReport, GroupReport, PoolingReport, Report
from pipeline.evaluation.scoring import assess, with_refusals
from pipeline.evaluation.usefulness import decision_curve, sample_size
from pipeline.prediction import ood_images, ood_tables
from pipeline.prediction.decision_rule import Calibration, DecisionRule, calibrate
from pipeline.stats import logistic_calibration
from pipeline.training.candidate import Candidate


@dataclass(frozen=True)
class OutOfFold:
    """Out-of-fold predictions of the model `name`, each sample `repeats` times, one repeat after the other.

    `dev`: the samples, as many times; `raw` (n, n_classes): probabilities that are not calibrated; `distance` (n,): how far
    from the training data; `view_distance` (m,): the same of images' views, None where there are none; `beyond` (n,): how far
    clinical columns are out of range, None where there are none; `parts`: the subgroups of a single repeat; `units`: what is
    answered together, None where every sample is alone.
    """

    name: str
    folder: Path
    dev: Dataset
    raw: np.ndarray
    distance: np.ndarray
    view_distance: np.ndarray | None
    beyond: np.ndarray | None
    repeats: int
    parts: subgroups.Subgroups
    units: Units | None = None

    def refused(self, limit: float) -> np.ndarray:
        """Return which samples are out-of-distribution, bool (n,), by the distance `limit`."""
        refused = self.distance > limit
        return refused if self.beyond is None else refused | (self.beyond > ood_tables.FAR)

    @property
    def n_folds(self) -> int:
        """The number of folds."""
        return int(self.dev.fold.max()) + 1


@dataclass(frozen=True)
class Predictions:
    """Samples or units with their probabilities before calibration, float64 (n, n_classes).

    `raw`: those of units by the frozen pooling, which are shown and decide; `by_fold`: for each fold those by the pooling that is
    chosen without it, empty where nothing is pooled.
    """

    data: Dataset
    raw: np.ndarray
    by_fold: tuple[np.ndarray, ...] = ()

    def without(self, fold: int) -> np.ndarray:
        """Return the probabilities by the pooling that is chosen without a fold."""
        return self.by_fold[fold] if self.by_fold else self.raw


def read(name: str) -> OutOfFold:
    """Return what `train@name` predicted."""
    task = params.model(name).task
    folder = require(TaskPaths(task).candidate_json(name), f"train@{name}").parent
    dev = Dataset.read(task, "dev")
    saved = np.load(folder / "oof.npz")
    repeats = len(saved["proba"]) // len(dev.y)
    units = by_group.read(task, "dev", dev, params.task(task).select)
    return OutOfFold(
        name=name,
        folder=folder,
        dev=dev.tiled(repeats),
        raw=saved["proba"],
        distance=np.tile(saved["distance"], repeats),
        view_distance=saved.get("view_distance"),
        beyond=np.tile(saved["beyond"], repeats) if "beyond" in saved else None,
        repeats=repeats,
        parts=subgroups.read(task, "dev", dev),
        units=units.tiled(repeats) if units else None,
    )


@dataclass(frozen=True)
class Chosen:
    """What `evaluate` chooses on out-of-fold predictions: the decision rule, and how its parts were chosen.

    `pooling`: None where every sample is alone.
    """

    rule: DecisionRule
    calibration: CalibrationReport | None
    pooling: PoolingReport | None


def choose_rule(oof: OutOfFold) -> Chosen:
    """Return the decision rule, chosen on what `select.unit` names, and the reports on how it was chosen."""
    name = params.model(oof.name).task
    task = params.task(name)
    operating_point.check_classes(oof.dev.classes, task.select.operating_point, name)
    farthest = ood_tables.FAR if task.kind == "table" else ood_images.threshold(oof.distance, oof.view_distance)
    limit = artifacts.rounded(farthest)
    pooling, on = None, Predictions(oof.dev, oof.raw)
    is_of_units = oof.units is not None and task.select.unit != by_group.SAMPLE
    if oof.units and is_of_units:
        part = by_group.usable(oof.units, oof.refused(limit))
        pooling = by_group.choose(oof.units, oof.raw, part, task.select.poolings, None)
        on = Predictions(oof.units.data, by_group.pooled(oof.units, oof.raw, part, pooling.chosen))
    chosen, how = calibration.choose(on.data, on.raw, task.select.draws, params.seed())
    proba = calibrate(on.raw, DecisionRule(calibration=chosen))
    rule = operating_point.choose(on.data, proba, task.select.operating_point)
    rule = replace(rule, calibration=chosen, refusal=limit, unit=task.select.unit if is_of_units else by_group.SAMPLE)
    if oof.units and not is_of_units:
        part = by_group.usable(oof.units, oof.refused(limit))
        pooling = by_group.choose(oof.units, oof.raw, part, task.select.poolings, rule)
    return Chosen(replace(rule, pooling=pooling.chosen if pooling else ""), how, pooling)


def units_of(oof: OutOfFold, rule: DecisionRule, pooling: PoolingReport) -> tuple[Predictions, np.ndarray]:
    """Return the units with their probabilities, and which get no answer, bool (n,)."""
    if oof.units is None:
        raise ValueError("every sample is alone")
    units, part = oof.units, by_group.usable(oof.units, oof.refused(rule.refusal))
    methods = {pooling.chosen, *pooling.by_fold}
    raw = {method: by_group.pooled(units, oof.raw, part, method) for method in methods}
    by_fold = tuple(raw[method] for method in pooling.by_fold)
    return Predictions(units.data, raw[pooling.chosen], by_fold), part.refused


def read_units(name: str, rule: DecisionRule, report: GroupReport) -> tuple[Predictions, np.ndarray]:
    """Return the units that a model's `report` is of, those of a single repeat, with the probabilities of all repeats, and those
    for the metrics in `calibration.SCALED`.
    """
    oof = read(name)
    if oof.units is None or report.pooling is None:
        raise ValueError(f"{name}: every sample is alone")
    of, _ = units_of(oof, rule, report.pooling)
    single = of.data.rows(np.arange(len(of.data.y) // oof.repeats))
    return Predictions(single, of.raw), scaled_without_fold(of, rule, of)


def scaled_without_fold(of: Predictions, rule: DecisionRule, on: Predictions) -> np.ndarray:
    """Return the probabilities for the metrics in `calibration.SCALED`: pooling and calibrator are chosen without the fold.

    `on`: what the rule was chosen on. For order and decisions the frozen ones are taken. A mixture of poolings is no answer that
    is given, and its figures vary more: with a tenth of 200 groups positive, the specificity's error has 1.5 times the standard
    deviation (soak/test_group_coverage.py).
    """
    proba = np.empty(of.raw.shape)
    for fold in np.unique(of.data.fold):
        held_out, others = of.data.fold == fold, on.data.fold != fold
        scaling = rule.calibration
        if scaling != Calibration():
            scaling = calibration.fit(on.without(fold)[others], on.data.y[others])
        proba[held_out] = calibrate(of.without(fold)[held_out], DecisionRule(calibration=scaling))
    return proba


def decide_samples(oof: OutOfFold, proba: np.ndarray, chosen: Chosen) -> np.ndarray:
    """Return what each sample is decided to be, int (n,), by a threshold that was chosen without it."""
    point = params.task(params.model(oof.name).task).select.operating_point
    return operating_point.decide_out_of_fold(
        oof.dev, proba, chosen.rule, point, calibrated(chosen_on(oof, chosen), chosen)
    )


def read_decided(name: str, rule: DecisionRule, report: Report) -> np.ndarray:
    """Return what each development sample was decided to be for a model's `report`, int (n_dev,); of repeats the first."""
    oof, pooling = read(name), report.by_group.pooling if report.by_group else None
    chosen = Chosen(rule, report.calibration, pooling)
    return decide_samples(oof, calibrate(oof.raw, rule), chosen)[: len(oof.dev.y) // oof.repeats]


def chosen_on(oof: OutOfFold, chosen: Chosen) -> Predictions:
    """Return the samples or units that the rule was chosen on."""
    if chosen.pooling is None or chosen.rule.unit == by_group.SAMPLE:
        return Predictions(oof.dev, oof.raw)
    return units_of(oof, chosen.rule, chosen.pooling)[0]


def calibrated(of: Predictions, chosen: Chosen) -> tuple[Dataset, np.ndarray]:
    """Return samples or units with their calibrated probabilities."""
    return of.data, calibrate(of.raw, chosen.rule)


def assess_predictions(
    of: Predictions, chosen: Chosen, on: Predictions, select: SelectParams, n_folds: int
) -> tuple[Report, np.ndarray, np.ndarray]:
    """Return the report on samples or units, their calibrated probabilities and decisions; `on`: what the rule was chosen on."""
    rule, draws, seed = chosen.rule, select.draws, params.seed()
    proba = calibrate(of.raw, rule)
    on_calibrated = calibrated(on, chosen)
    decided = operating_point.decide_out_of_fold(of.data, proba, rule, select.operating_point, on_calibrated)
    report = assess(of.data, proba, decided, draws, seed, n_folds)
    scaled = scaled_without_fold(of, rule, on)
    if (scaled != proba).any():
        unseen = assess(of.data, scaled, decided, draws, seed, n_folds)
        names = [name for name in (*calibration.SCALED, *logistic_calibration.NAMES) if name in unseen.figures]
        figures = {name: unseen[name] for name in names}
        ci = {name: unseen.ci[name] for name in names if name in unseen.ci}
        report = replace(report, figures=report.figures | figures, ci=report.ci | ci)
    return decision_curve.with_net_benefit(report, of.data, decided, rule.threshold, n_folds), proba, decided


def score(oof: OutOfFold, chosen: Chosen, select: SelectParams) -> Report:
    """Return the model's report."""
    dev, rule, on, candidate = oof.dev, chosen.rule, chosen_on(oof, chosen), Candidate.read(oof.folder)
    report, proba, decided = assess_predictions(Predictions(dev, oof.raw), chosen, on, select, oof.n_folds)
    report = with_notes(report, oof, on.data, len(dev.y), rule, select)
    point = operating_point.describe(report, rule, select.operating_point.prevalence) if dev.positive else None
    return replace(
        with_refusals(report, dev, decided, oof.refused(rule.refusal), oof.n_folds),
        calibration=chosen.calibration,
        operating_point=point,
        sample_size=sample_size.describe(report, candidate.schema),
        tuned=candidate.tuned,
        subgroups=subgroups.score(oof.parts, dev, proba, decided, select.draws, oof.repeats, oof.n_folds),
        by_group=score_units(oof, chosen, on, select),
    )


def with_notes(report: Report, oof: OutOfFold, on: Dataset, n: int, rule: DecisionRule, select: SelectParams) -> Report:
    """Return the report with notes on its threshold, chosen on the rows of `on`, and on repeats; `n`: predictions in all."""
    chosen = operating_point.notes_on_choice(on, rule, select.operating_point)
    report = replace(report, notes=[*report.notes, *chosen])
    if oof.repeats == 1:
        return report
    note = f"each sample was predicted {oof.repeats} times, by models of other folds; all are counted"
    counts = replace(report.counts, n=n // oof.repeats, repeats=oof.repeats)
    return replace(report, counts=counts, notes=[*report.notes, note])


def score_units(oof: OutOfFold, chosen: Chosen, on: Predictions, select: SelectParams) -> GroupReport | None:
    """Return the report on samples that are answered together; None where every sample is alone."""
    if oof.units is None or chosen.pooling is None:
        return None
    of, refused = units_of(oof, chosen.rule, chosen.pooling)
    report, proba, decided = assess_predictions(of, chosen, on, select, oof.n_folds)
    report = with_notes(report, oof, on.data, len(of.data.y), chosen.rule, select)
    judged = by_group_report.Judged(oof.units, proba, decided, refused)
    described = by_group_report.describe(report, judged, chosen.rule, select, oof.parts, oof.repeats, oof.n_folds)
    return replace(described, pooling=chosen.pooling)
