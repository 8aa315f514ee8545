"""How well a champion does in use: estimated from its own probabilities, and measured where labels came later.

The estimate is confidence-based (Guillory et al. 2021; Kivimaki et al. 2025, "Confidence-based estimators for predictive
performance in model monitoring", JAIR 82:209): of samples answered with a probability p a share p is right. It holds as long as
the probabilities are calibrated for what is served: where the samples shift, but what follows from their features does not. A new
disease, another definition of the label or a defect in the features is not seen by it.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.core.artifacts import JSON
from pipeline.monitoring.comparisons import superiority
from pipeline.monitoring.histograms import CONFIDENCES, Reference, Tally
from pipeline.stats import intervals
from pipeline.stats.pairs import superiority_interval

CONDITION = "It holds as long as the probabilities are calibrated for what is served, which labels alone can show."
FEW = 10  # cases, below which a share is given without an interval
MIDDLES = (np.arange(CONFIDENCES) + 0.5) / CONFIDENCES


@dataclass(frozen=True)
class Estimate:
    """A figure of `n` samples with its 95 % interval (low, high); NaN where it is not defined."""

    figure: float
    ci: tuple[float, float]
    n: int

    def to_json(self) -> JSON:
        """Return the content of JSON."""
        return {"figure": self.figure, "ci": list(self.ci), "n": self.n}


def estimated(served: Tally, reference: Reference | None) -> dict[str, Estimate]:
    """Return the estimated accuracy of the answers, and of two classes the predictive values, without a label.

    The interval counts the luck of these samples, and how well calibration is known, by the number of training groups.
    """
    rows = {"accuracy": list(served.confidence.values())}
    classes = list(reference.tally.answers) if reference else []
    if len(classes) == 2:
        for name, label in (("precision", classes[1]), ("negative_predictive_value", classes[0])):
            rows[name] = [served.confidence[label]] if label in served.confidence else []
    return {name: _expected(sum(counts, np.zeros(CONFIDENCES)), reference) for name, counts in rows.items() if counts}


def _expected(counts: np.ndarray, reference: Reference | None) -> Estimate:
    n = int(counts.sum())
    p = float(counts @ MIDDLES / n)
    variance = float(counts @ (MIDDLES * (1 - MIDDLES))) / n**2
    if reference:
        variance += p * (1 - p) / reference.n_groups
    reach = intervals.student() * variance**0.5
    return Estimate(p, (max(0.0, p - reach), min(1.0, p + reach)), n)


def measured(served: Tally, classes: list[str]) -> dict[str, Estimate]:
    """Return the figures of answered samples whose class became known.

    Accuracy; with two classes also those of decisions, and the ROC AUC from probabilities in bins of 0.05.
    """
    outcomes = served.outcomes
    answered = {actual: {answer: n for answer, n in of.items() if answer} for actual, of in outcomes.items()}
    n = sum(sum(of.values()) for of in answered.values())
    right = sum(of.get(actual, 0) for actual, of in answered.items())
    figures = {"accuracy": _share(right, n)}
    if len(classes) == 2:
        negative, positive = classes
        cell = {(actual, answer): answered.get(actual, {}).get(answer, 0) for actual in classes for answer in classes}
        tp, tn = cell[positive, positive], cell[negative, negative]
        figures |= {
            "recall": _share(tp, tp + cell[positive, negative]),
            "specificity": _share(tn, tn + cell[negative, positive]),
            "precision": _share(tp, tp + cell[negative, positive]),
            "negative_predictive_value": _share(tn, tn + cell[positive, negative]),
        }
        scores = [served.outcome_scores.get(label) for label in (positive, negative)]
        if all(each is not None and each.sum() for each in scores):
            figures["roc_auc"] = _area(*scores)  # type: ignore[arg-type] # not None
    return {name: each for name, each in figures.items() if each.n}


def _area(positives: np.ndarray, negatives: np.ndarray) -> Estimate:
    area = superiority(positives, negatives)
    ends = superiority_interval(area, positives.sum(), negatives.sum(), intervals.LEVEL)
    return Estimate(area, ends, int(positives.sum() + negatives.sum()))


def _share(k: int, n: int) -> Estimate:
    if not n:
        return Estimate(np.nan, (np.nan, np.nan), 0)
    return Estimate(k / n, intervals.wilson(k, n) if n >= FEW else (np.nan, np.nan), n)
