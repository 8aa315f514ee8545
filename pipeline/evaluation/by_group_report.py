"""The report on groups of samples that are answered together, of any stage's predictions."""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.core import params
from pipeline.core.params_models import SelectParams
from pipeline.evaluation import operating_point, subgroups
from pipeline.evaluation.by_group import Units, Usable, pooled, usable
from pipeline.evaluation.report import GroupReport, Report
from pipeline.evaluation.scoring import FEW_GROUPS, UNKNOWN, assess, with_refusals
from pipeline.evaluation.usefulness import decision_curve
from pipeline.prediction.decision_rule import DecisionRule, calibrate, decide
from pipeline.stats import intervals
from pipeline.stats.pairs import superiority_interval

# Shares, which are given as counts where they are of few units; all other figures need groups enough of each class
OF_SHARES = ("accuracy", "recall", "specificity", "precision", "negative_predictive_value", "refused")


@dataclass(frozen=True)
class Judged:
    """Units with calibrated probabilities (n, n_classes), decisions, int (n,), and whether each gets no answer, bool (n,)."""

    units: Units
    proba: np.ndarray
    decided: np.ndarray
    refused: np.ndarray


def of_samples(
    units: Units,
    raw: np.ndarray,
    refused: np.ndarray,
    rule: DecisionRule,
    select: SelectParams,
    parts: subgroups.Subgroups,
) -> GroupReport:
    """Return the report on units of samples that no model was trained on.

    `raw` (n, n_classes) are the samples' probabilities before calibration, `refused` bool (n,) whether each is
    out-of-distribution, `parts` the subgroups of the samples.
    """
    part: Usable = usable(units, refused)
    proba = calibrate(pooled(units, raw, part, rule.pooling), rule)
    judged = Judged(units, proba, decide(proba, rule), part.refused)
    report = assess(units.data, proba, judged.decided, select.draws, params.seed())
    report = decision_curve.with_net_benefit(report, units.data, judged.decided, rule.threshold)
    return describe(report, judged, rule, select, parts)


def describe(
    report: Report,
    judged: Judged,
    rule: DecisionRule,
    select: SelectParams,
    parts: subgroups.Subgroups,
    repeats: int = 1,
    n_folds: int | None = None,
) -> GroupReport:
    """Return the `report` on units with what is refused, the operating point, subgroups, and which units they are."""
    units, columns = judged.units, {}
    for column, (values, names) in parts.items():
        of_units, present = of_values(units, np.tile(values, repeats), names)
        columns[column] = of_units[: units.n // repeats], present
    report = with_refusals(report, units.data, judged.decided, judged.refused, n_folds)
    report = without_rough_intervals(with_area_of_pairs(report, n_folds))
    point = operating_point.describe(report, rule, select.operating_point.prevalence) if units.data.positive else None
    scored = subgroups.score(columns, units.data, judged.proba, judged.decided, select.draws, repeats, n_folds)
    n_mixed = units.n_mixed // repeats
    notes = [*report.notes, *([about_mixed(n_mixed, select.group_label, units.name)] if n_mixed else [])]
    own = {**vars(report), "operating_point": point, "subgroups": scored, "notes": notes}
    return GroupReport(
        **own,
        unit=units.name,
        n_samples=len(units.member) // repeats,
        largest=units.largest,
        n_mixed=n_mixed,
        group_label=select.group_label if n_mixed else "",
    )


def about_mixed(n: int, label: str, unit: str) -> str:
    """Return how units, groups or the values of a column, count whose samples have different labels, in words."""
    how = (
        "each is positive, because one of its samples is"
        if label == "any positive"
        else "their samples count one by one"
    )
    what = ("group has" if n == 1 else "groups have") if unit == "group" else f"values of {unit} have"
    return f"{n} {what} samples with different labels: {how}"


def of_values(units: Units, values: np.ndarray, names: list[str]) -> tuple[np.ndarray, list[str]]:
    """Return the subgroup of each unit, str (n_units,), and those that there are, in the order of `names`."""
    own = units.values(values)
    return own, [name for name in [*names, *sorted(set(own) - set(names))] if name in set(own)]


def with_area_of_pairs(report: Report, n_folds: int | None = None) -> Report:
    """Return the report of two classes, whose units are all independent, with Newcombe's interval of the ROC AUC.

    Of few groups the bootstrap's is too wide: of 30 it covers in 98 %, this one in 96 (soak/test_group_coverage.py). `n_folds`
    as for `scoring.assess`.
    """
    counts = report.counts
    if counts.n != counts.n_groups or len(counts.groups) != 2 or np.isnan(report["roc_auc"]):
        return report
    low, high = report.ci["roc_auc"]
    if low == high:  # one probability for all: 0.5 on any other groups, too
        return report
    worth = 1 / intervals.of_training(n_folds).other ** 2 if n_folds else 1.0
    negatives, positives = (n * worth for n in counts.groups.values())
    ends = list(superiority_interval(report["roc_auc"], positives, negatives, intervals.LEVEL))
    per_class = {name: replace(of, ci=of.ci | {"roc_auc": ends}) for name, of in report.per_class.items()}
    return replace(report, ci=report.ci | {"roc_auc": ends}, per_class=per_class)


def without_rough_intervals(report: Report) -> Report:
    """Return the report without intervals where a class has under `FEW_GROUPS` groups: the counts are there instead.

    Shares keep theirs, which hold for few cases too (Wilson), and are counts below 10.
    """
    if min(report.counts.groups.values()) >= FEW_GROUPS:
        return report
    ci = {name: ends if name in OF_SHARES else UNKNOWN for name, ends in report.ci.items()}
    return replace(report, ci=ci)
