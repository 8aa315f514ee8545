"""The operating point of two classes: from which calibrated probability on the positive one is decided, and why.

Chosen on out-of-fold predictions, frozen in the decision, and so the same for holdout, app, API and command line.
"""

import numpy as np

from pipeline.core import artifacts
from pipeline.core.errors import ParamsError
from pipeline.core.params_models import OperatingPointParams
from pipeline.data.dataset import Dataset
from pipeline.evaluation.report import OperatingPoint, PredictiveValues, Report
from pipeline.prediction.decision_rule import DecisionRule


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
    still has it, a specificity by the lowest; costs by the one with the smallest sum, of equals the nearest to
    false_positive / (false_positive + false_negative), the best of perfectly calibrated probabilities (Elkan 2001,
    equation 2).
    """
    thresholds, sensitivity, specificity = sweep(dev.y, proba[:, 1])
    if point.target_sensitivity is not None:
        best = np.flatnonzero(sensitivity >= point.target_sensitivity)[-1]
        reason = f"a sensitivity of at least {point.target_sensitivity:g}"
    elif point.target_specificity is not None:
        met = specificity >= point.target_specificity
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

    For the prevalence of the report's own samples and for one that is named: precision (PPV) and negative_predictive_value.
    """
    negatives, positives = report.counts.actual.values()
    by_prevalence = {"data": predictive_values(report, positives / (negatives + positives))}
    if prevalence is not None:
        by_prevalence["named"] = predictive_values(report, prevalence)
    return OperatingPoint(rule.threshold, rule.chosen_for, by_prevalence)


def predictive_values(report: Report, prevalence: float) -> PredictiveValues:
    """Return precision and negative_predictive_value at a prevalence by Bayes' rule (Altman and Bland 1994), each with `ci`.

    The ends are those of sensitivity and specificity together, which is a little wider than 95 % asks for, but does not
    break down where there was no error. NaN where one of them is undefined.
    """
    corners = [
        (report["recall"], report["specificity"]),
        *zip(report.ci["recall"], report.ci["specificity"], strict=True),
    ]
    (ppv, npv), low, high = (bayes(*corner, prevalence) for corner in corners)
    return PredictiveValues(
        {"precision": ppv, "negative_predictive_value": npv},
        {"precision": [low[0], high[0]], "negative_predictive_value": [low[1], high[1]]},
        prevalence=prevalence,
    )


def bayes(sensitivity: float, specificity: float, prevalence: float) -> tuple[float, float]:
    """Return the positive and the negative predictive value; NaN where nothing is decided that way."""
    right, alarms = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    cleared, missed = specificity * (1 - prevalence), (1 - sensitivity) * prevalence
    return (
        right / (right + alarms) if right + alarms else np.nan,
        cleared / (cleared + missed) if cleared + missed else np.nan,
    )
