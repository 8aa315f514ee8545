"""Champion against challenger: their out-of-fold predictions on the champion's own development samples, paired.

Never by the new labels, which may be what is wrong, and never by the test set.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core import params, params_models
from pipeline.core.errors import DataError
from pipeline.core.params_models import RetrainParams
from pipeline.data import upload_ledger
from pipeline.data.dataset import Dataset
from pipeline.data.uploads import Included
from pipeline.evaluation import by_group, operating_point, scoring, selection, subgroups
from pipeline.evaluation.by_group import Units, Usable, pooled
from pipeline.evaluation.by_group_report import of_values
from pipeline.evaluation.calibration import SCALED, out_of_fold
from pipeline.prediction.decision_rule import DecisionRule, calibrate
from pipeline.retraining import batch_profile, plausible_gain, recommendation
from pipeline.retraining.records import Change, Comparison, SubgroupChange
from pipeline.stats.bootstrap import bootstrap_both, difference_interval
from pipeline.stats.metrics import Scorer
from pipeline.training.export import read_oof

Drawn = dict[str, tuple[Any, np.ndarray]]  # by metric: the figure and its draws
METHOD = "mean_log_odds"  # of a side whose development had no group with several samples
OF_PARTS = ("accuracy", "roc_auc", "recall", "specificity")  # what subgroups are compared by


@dataclass(frozen=True)
class Side:
    """One side's champion on its development set. Probabilities: float64 (n, n_classes), `scaled` for the metrics SCALED."""

    model: str
    bundle: str
    dev: Dataset
    proba: np.ndarray
    scaled: np.ndarray
    decided: np.ndarray

    def on(self, other: Dataset) -> "Side":
        """Return the same for the samples of `other`, in its order and with its classes; raise DataError where one lacks."""
        rows = rows_in(self.dev, other)
        columns = [self.dev.classes.index(name) for name in other.classes]
        decided = np.array([other.classes.index(self.dev.classes[k]) for k in self.decided[rows]])
        return Side(
            self.model, self.bundle, other, self.proba[rows][:, columns], self.scaled[rows][:, columns], decided
        )

    def part(self, rows: np.ndarray) -> "Side":
        """Return the same for the samples at `rows`, int (m,)."""
        dev, decided = self.dev.rows(rows), self.decided[rows]
        return Side(self.model, self.bundle, dev, self.proba[rows], self.scaled[rows], decided)


def rows_in(dev: Dataset, other: Dataset) -> np.ndarray:
    """Return the rows of `dev`, int (n,), that hold the samples of `other`; raise DataError where one is missing."""
    row_of = {path: row for row, path in enumerate(dev.path)}
    lacking = [path for path in other.path if path not in row_of]
    if lacking:
        raise DataError(
            f"{len(lacking)} of the champion's development samples, the first {lacking[0]}, are "
            "missing from the challenger's: a batch contradicts what was included before, or params.yaml has changed"
        )
    return np.array([row_of[path] for path in other.path])


def together(
    dev: Dataset, raw: np.ndarray, rule: DecisionRule, own: Dataset, units: Units
) -> tuple[Dataset, np.ndarray]:
    """Return the `units` of the champion's samples, `own`, with one side's folds, classes and pooled probabilities.

    `dev` and `raw` (n, n_classes) are of that side, which may have more samples of a unit: those do not count.
    """
    rows = rows_in(dev, own)
    first = np.unique(units.member, return_index=True)[1]
    y = np.array([dev.classes.index(units.data.classes[k]) for k in units.data.y])
    part = Usable(np.ones(len(rows), bool), np.zeros(units.n, bool))
    return replace(dev.rows(rows[first]), y=y), pooled(units, raw[rows], part, rule.pooling or METHOD)


def read_side(root: Path, task: str, shared: tuple[Dataset, Units] | None = None) -> Side:
    """Return the champion of the project in `root`; `shared`: the samples and units by which both sides are compared."""
    selected = selection.read(task, root)
    model = selected.winner
    dev = Dataset.read(task, "dev", root)
    rule = DecisionRule.read(task, model, root)
    raw = read_oof(task, model, root)[: len(dev.y)]  # of repeated folds the first
    if shared:
        dev, raw = together(dev, raw, rule, *shared)
    proba = calibrate(raw, rule)
    # Each sample by a threshold that did not see it, as in the report: the frozen one was chosen on these very samples
    decided = operating_point.decide_out_of_fold(dev, proba, rule, params.task(task).select.operating_point)
    return Side(model, selected.bundle, dev, proba, out_of_fold(dev, raw, rule), decided)


def figures(side: Side, draws: int, seed: int) -> tuple[Drawn, Drawn]:
    """Return the figure and its paired draws of every metric, and of every class' f1 and roc_auc, (K,) and (draws, K)."""
    dev, once = side.dev, np.ones((1, len(side.dev.y)))
    overall: Drawn = {}
    classes: Drawn = {}
    for proba, wanted in ((side.proba, lambda name: name not in SCALED), (side.scaled, lambda name: name in SCALED)):
        points, class_points = Scorer(dev.y, proba, side.decided).both(once)
        drawn, class_drawn = bootstrap_both(dev.y, proba, side.decided, dev.group, draws, seed)
        overall |= {name: (points[name][0], drawn[name]) for name in points if wanted(name)}
        if not classes:
            classes = {name: (class_points[name][0], class_drawn[name]) for name in class_points}
    return overall, classes


def differences(
    champion: Side, challenger: Side, draws: int, seed: int
) -> tuple[dict[str, Change], dict[str, dict[str, Change]]]:
    """Return the change of every metric, {metric: Change}, and the same by class, {class: {metric: Change}}."""
    (ours, our_classes), (theirs, their_classes) = (figures(side, draws, seed) for side in (champion, challenger))

    def change(old: float, old_draws: np.ndarray, new: float, new_draws: np.ndarray) -> Change:
        low, high = difference_interval(new_draws, old_draws)
        return Change(float(old), float(new), float(new - old), (low, high))

    overall = {name: change(*ours[name], *theirs[name]) for name in ours}
    by_class: dict[str, dict[str, Change]] = {label: {} for label in champion.dev.classes}
    for name, (old, old_draws) in our_classes.items():
        new, new_draws = their_classes[name]
        for k, label in enumerate(champion.dev.classes):
            by_class[label][name] = change(old[k], old_draws[:, k], new[k], new_draws[:, k])
    return overall, by_class


def gate(overall: dict[str, Change], guarded: list[str], margin: float) -> list[str]:
    """Return the guarded metrics that may be worse by more than `margin`: the 95 % interval does not rule it out."""
    failed = []
    for name in guarded:
        low, high = overall[name].ci
        worst = low if params_models.METRICS[name] else -high
        if not worst >= -margin:
            failed.append(name)
    return failed


def of_subgroups(
    champion: Side, challenger: Side, values: dict[str, tuple[np.ndarray, list[str]]], draws: int, seed: int
) -> list[SubgroupChange]:
    """Return the changes within each subgroup; `values` as `subgroups.read` returns them."""
    rows = []
    for column, (of_samples, names) in values.items():
        for value in names:
            index = np.flatnonzero(of_samples == value)
            overall, _ = differences(champion.part(index), challenger.part(index), draws, seed)
            metrics = {name: overall[name] for name in OF_PARTS if name in overall}
            rows.append(SubgroupChange(column, value, len(index), len(index) < scoring.FEW, metrics))
    return rows


def compare(task: str, tree: Path, rows: list[Included], rule: RetrainParams) -> Comparison:
    """Return the comparison of the workspace's champion with that of the copy in `tree`, in which `rows` are included."""
    block, dev = params.task(task), Dataset.read(task, "dev")
    units = by_group.read(task, "dev", dev, block.select) if block.select.unit != by_group.SAMPLE else None
    shared = (dev, units) if units else None
    champion = read_side(Path(), task, shared)
    challenger = read_side(tree, task, shared).on(champion.dev)
    parts = subgroups.read(task, "dev", dev)
    if units:
        parts = {column: of_values(units, values, names) for column, (values, names) in parts.items()}
    n, draws, seed = len(champion.dev.y), block.select.draws, params.seed()
    key = params_models.metric_key(block.select.metric, len(champion.dev.classes))
    overall, by_class = differences(champion, challenger, draws, seed)
    guarded = list(dict.fromkeys([key, *rule.guarded]))
    failed = gate(overall, guarded, rule.margin)
    batch = batch_profile.describe(task, tree, rows, dev)
    too_good = plausible_gain.finding(task, champion.model, overall["roc_auc"], len(dev.y), batch.n_used)
    comparison = Comparison(
        champion={"model": champion.model, "bundle": champion.bundle},
        challenger={"model": challenger.model, "bundle": challenger.bundle},
        n=n,
        metric=key,
        margin=rule.margin,
        guarded=guarded,
        failed=failed,
        passed=not (failed or too_good or batch.clusters) and batch.n_used > 0,
        recommendation=recommendation.of_unused(batch)
        or recommendation.of_clusters(batch)
        or too_good
        or recommendation.recommendation(overall, key, failed, n, rule, "groups" if units else "samples"),
        metrics=overall,
        per_class=by_class,
        subgroups=of_subgroups(champion, challenger, parts, draws, seed),
        batch=batch,
        hashes=[row.hash for row in rows],
        tries=upload_ledger.tries(task, champion.bundle) + 1,
        too_good=too_good,
    )
    return replace(comparison, cautions=recommendation.cautions(comparison))
