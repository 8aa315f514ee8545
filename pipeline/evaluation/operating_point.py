"""The operating point of two classes: from which calibrated probability on the positive one is decided, and why.

Chosen on out-of-fold predictions, frozen in the decision, and so the same for holdout, app, API and command line.
"""

import math

import numpy as np

from pipeline.core import artifacts
from pipeline.core.errors import ParamsError
from pipeline.core.params_models import OperatingPointParams
from pipeline.data.dataset import Dataset
from pipeline.evaluation.report import OperatingPoint, PredictiveValues, Report
from pipeline.prediction.decision_rule import DecisionRule, decide
from pipeline.stats import combined

ENOUGH = (
    50  # samples of a class, from which on a threshold chosen for it is judged within .01 (soak/test_thresholds.py)
)
PREDICTIVE = ("precision", "negative_predictive_value")
PREVALENCES = (0.01, 0.05, 0.1, 0.2, 0.5)


def check_classes(classes: list[str], point: OperatingPointParams, task: str) -> None:
    """Raise ParamsError where a `point` other than the default is asked for of more than two classes.

    `preprocess`, the first stage that knows the classes, asks before anything is trained; `evaluate`, for what changed since.
    """
    if point != OperatingPointParams() and len(classes) > 2:
        raise ParamsError(
            f"params.yaml: tasks.{task}.select.operating_point: {len(classes)} classes have no sensitivity or prevalence; "
            "of more than two the most probable one is decided: leave operating_point out"
        )


def choose(dev: Dataset, proba: np.ndarray, point: OperatingPointParams) -> DecisionRule:
    """Return a rule with `threshold`, at the digits of a file, and `chosen_for` in words; 0.5 and "" where nothing is asked for.

    `proba` (n, 2) are calibrated out-of-fold probabilities of `dev`. A sensitivity is met by the highest threshold that
    finds as many positives as `conformal_share` asks for, so that the next one is found with that probability, a specificity
    by the lowest likewise; costs by the one with the smallest sum, of equals the nearest to
    false_positive / (false_positive + false_negative), the best of perfectly calibrated probabilities (Elkan 2001,
    equation 2).
    """
    thresholds, sensitivity, specificity = sweep(dev.y, proba[:, 1])
    if point.target_sensitivity is not None:
        met = sensitivity >= conformal_share(point.target_sensitivity, len(set(dev.id[dev.y == 1])))
        best = np.flatnonzero(met)[-1]
        reason = f"a sensitivity of at least {point.target_sensitivity:g}"
    elif point.target_specificity is not None:
        met = specificity >= conformal_share(point.target_specificity, len(set(dev.id[dev.y == 0])))
        best = np.argmax(met) if met.any() else len(met) - 1
        reason = f"a specificity of at least {point.target_specificity:g}"
    elif costs := point.costs:
        missed, alarms = (1 - sensitivity) * np.sum(dev.y == 1), (1 - specificity) * np.sum(dev.y == 0)
        cost = np.round(costs.false_negative * missed + costs.false_positive * alarms, 9)
        far = np.abs(thresholds - costs.false_positive / (costs.false_positive + costs.false_negative))
        best = np.lexsort([far, cost])[0]
        reason = f"costs of {costs.false_negative:g} a false negative and {costs.false_positive:g} a false positive"
    else:
        return DecisionRule()
    return DecisionRule(threshold=float(thresholds[best]), chosen_for=reason)


def conformal_share(target: float, n: int) -> float:
    """Return the share of `n` samples that must be decided rightly for the next one to be so with probability `target`.

    The ceil(target (n + 1))-th of n exchangeable values has a rank among n + 1 (Vovk, Gammerman and Shafer 2005, "Algorithmic
    learning in a random world", section 2.2). With very few samples, even all are not enough; then all are asked for.
    """
    return min(n, math.ceil(round(target * (n + 1), 9))) / n


def decide_out_of_fold(
    dev: Dataset,
    proba: np.ndarray,
    rule: DecisionRule,
    point: OperatingPointParams,
    chosen_on: tuple[Dataset, np.ndarray] | None = None,
) -> np.ndarray:
    """Return what each sample is decided to be, int (n,), by a threshold that was chosen without it.

    Judged on the samples it was chosen on, a threshold meets its target by construction. So each fold is decided by the one
    that the other folds choose; where nothing is asked for, by `rule`. `proba` (n, n_classes) is calibrated. `chosen_on`: the
    units on which thresholds are chosen, with their calibrated probabilities, where these are not the samples.
    """
    decided = decide(proba, rule)
    if not rule.chosen_for:
        return decided
    of, on = chosen_on or (dev, proba)
    for fold in np.unique(dev.fold):
        held_out, others = dev.fold == fold, np.flatnonzero(of.fold != fold)
        if len(set(of.y[others])) == len(dev.classes):
            decided[held_out] = decide(proba[held_out], choose(of.rows(others), on[others], point))
    return decided


def notes_on_choice(dev: Dataset, rule: DecisionRule, point: OperatingPointParams) -> list[str]:
    """Return how a threshold that is asked for is judged, in words, and of how few samples it was chosen."""
    if not rule.chosen_for:
        return []
    sentences = ["decisions out of fold are by thresholds that the other folds choose; the one in use is chosen on all"]
    if point.costs is None:
        side = 1 if point.target_sensitivity is not None else 0
        n = len(set(dev.id[dev.y == side]))
        if n < ENOUGH:
            what = {"sample": "samples", "group": "groups"}.get(rule.unit, f"values of {rule.unit}")
            sentences.append(
                f"{rule.chosen_for} was aimed at with {n} {what} of {dev.classes[side]} only: read the interval, not the figure"
            )
    return sentences


def sweep(y: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rising thresholds, halfway between probabilities, with the sensitivity and specificity from each on.

    Rounded first and counted then, so that what is written to a file has the rates that were counted.
    """
    levels = np.unique(np.concatenate([[0.0], p, [1.0]]))
    thresholds = np.unique(np.round(np.concatenate([[0.0], (levels[:-1] + levels[1:]) / 2, [1.0]]), artifacts.DIGITS))
    positives, negatives = np.sort(p[y == 1]), np.sort(p[y == 0])
    hits = len(positives) - np.searchsorted(positives, thresholds)  # counted, because 1 - 17/50 is a hair below 0.66
    return thresholds, hits / len(positives), np.searchsorted(negatives, thresholds) / len(negatives)


def describe(report: Report, rule: DecisionRule, prevalence: float | None) -> OperatingPoint:
    """Return the operating point of a `report` of two classes: the rule's threshold, and what its answers are worth.

    For the prevalence of the report's own samples, as they stand in the report, for one that is named, and for `PREVALENCES`:
    precision (PPV) and negative_predictive_value.
    """
    negatives, positives = report.counts.actual.values()
    own = PredictiveValues(
        {name: report[name] for name in PREDICTIVE},
        {name: report.ci[name] for name in PREDICTIVE},
        {name: counts for name, counts in report.cases.items() if name in PREDICTIVE},
        prevalence=positives / (negatives + positives),
    )
    by_prevalence = {"data": own}
    if prevalence is not None:
        by_prevalence["named"] = predictive_values(report, prevalence)
    by_prevalence |= {f"{other:g}": predictive_values(report, other) for other in PREVALENCES if other != prevalence}
    return OperatingPoint(rule.threshold, rule.chosen_for, by_prevalence)


def predictive_values(report: Report, prevalence: float) -> PredictiveValues:
    """Return precision and negative_predictive_value at a prevalence by Bayes' rule, each with `ci` (`combined.mover`).

    NaN where one of them is undefined; without intervals where sensitivity or specificity have none.
    """
    parts = [(report[name], report.ci[name]) for name in ("recall", "specificity")]
    figures, ci = {}, {}
    for index, name in enumerate(PREDICTIVE):

        def value(sensitivity: float, specificity: float, index: int = index) -> float:
            return combined.predictive_values(sensitivity, specificity, prevalence)[index]

        figures[name] = value(report["recall"], report["specificity"])
        ci[name] = combined.mover(value, parts)
    return PredictiveValues(figures, ci, prevalence=prevalence)
