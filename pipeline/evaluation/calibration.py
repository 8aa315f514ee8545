"""Calibration: choose whether a model's probabilities are scaled before they are shown, and by which numbers.

With two classes a sigmoid is tried (Platt 1999), with more a temperature (Guo et al. 2017), on out-of-fold predictions. It is
chosen by cross-validation over the folds, which are grouped: each fold's calibrator is fitted on the others. It is kept only if
it makes the Brier score smaller; what is frozen is then fitted on all. `pipeline.prediction.decision_rule.calibrate` applies it.
"""

from collections.abc import Callable

import numpy as np

from pipeline.data.dataset import Dataset
from pipeline.evaluation.report import CalibrationReport
from pipeline.prediction.decision_rule import Calibration, DecisionRule, calibrate, log_odds, softmax
from pipeline.stats import metrics
from pipeline.stats.bootstrap import resamples
from pipeline.stats.intervals import LEVEL

SHOWN = ("brier_score_loss", "ece")
SCALED = ("brier_score_loss", "log_loss", "ece")  # metrics that depend on the size of probabilities, not on order alone


def choose(dev: Dataset, raw: np.ndarray, draws: int, seed: int) -> tuple[Calibration, CalibrationReport]:
    """Return the calibration to freeze, at the digits of a file, and how it was chosen.

    `raw` (n, n_classes) are the out-of-fold probabilities of `dev`. Figures after calibration are by calibrators that did not
    see the sample; the interval of the difference is of paired draws over groups.
    """
    tried = fit(raw, dev.y)
    crossed = cross_calibrate(dev, raw)
    change = squares(dev.y, crossed) - squares(dev.y, raw)
    drawn = [np.einsum("dn,n->d", block, change) / block.sum(axis=1) for block in resamples(dev.group, draws, seed)]
    frozen = tried.rounded() if change.mean() < 0 else Calibration()
    before, after = (metrics.scores(dev.y, proba, proba.argmax(axis=1)) for proba in (raw, crossed))
    report = CalibrationReport(
        method=frozen.method,
        tried="sigmoid" if raw.shape[1] == 2 else "temperature",
        before={name: before[name] for name in SHOWN},
        after={name: after[name] for name in SHOWN},
        brier_difference=float(change.mean()),
        brier_difference_ci=np.quantile(np.concatenate(drawn), [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist(),
    )
    return frozen, report


def squares(y: np.ndarray, proba: np.ndarray) -> np.ndarray:
    """Return (n,) whose mean is `brier_score_loss` of `stats.metrics`."""
    terms = ((proba - np.eye(proba.shape[1])[y]) ** 2).sum(axis=1)
    return terms / 2 if proba.shape[1] == 2 else terms


def out_of_fold(dev: Dataset, raw: np.ndarray, rule: DecisionRule) -> np.ndarray:
    """Return the probabilities for the `SCALED` metrics: each sample is scaled by a calibrator that did not see it.

    For order and decisions the frozen calibrator is taken: one of each fold would mix up the order of samples, and has
    nothing to gain there. On the demo the frozen one makes the Brier score of its own samples look better by up to 0.002.
    """
    return raw if rule.calibration == Calibration() else cross_calibrate(dev, raw)


def cross_calibrate(dev: Dataset, raw: np.ndarray) -> np.ndarray:
    """Return probabilities (n, n_classes), those of each fold by the calibrator of all the others; see `out_of_fold`."""
    proba = raw.copy()
    for fold in np.unique(dev.fold):
        held_out = dev.fold == fold
        proba[held_out] = calibrate(raw[held_out], DecisionRule(calibration=fit(raw[~held_out], dev.y[~held_out])))
    return proba


def fit(raw: np.ndarray, y: np.ndarray) -> Calibration:
    """Return the calibration of `raw` (n, n_classes) with the least log loss on classes y (n,).

    There is none where it would reverse or level the order of samples.
    """
    scaled = log_odds(raw)
    if raw.shape[1] == 2:
        slope, intercept = minimum(sigmoid_loss(scaled, y), [1.0, 0.0])
        return Calibration("sigmoid", slope=slope, intercept=intercept) if slope > 1e-3 else Calibration()
    (inverse,) = minimum(temperature_loss(scaled, y), [1.0])
    return Calibration("temperature", temperature=1 / inverse) if inverse > 1e-3 else Calibration()


# From parameters to the value, its gradient and its matrix of second derivatives
Loss = Callable[[np.ndarray], tuple[float, np.ndarray, np.ndarray]]
STEPS = 100  # of Newton's method, of which a dozen are usual
FLAT = 1e-9  # of the largest curvature: a direction with less is not gone along


def minimum(loss: Loss, start: list[float]) -> np.ndarray:
    """Return the parameters with the least loss, which is convex, by Newton's method with halved steps.

    scipy.optimize gives the same, but its import takes twice as long as the rest of `choose`.
    """
    parameters = np.array(start)
    value, gradient, curvature = loss(parameters)
    for _ in range(STEPS):
        # By least squares: where all samples have the same probability, only one direction is curved
        step = np.linalg.lstsq(curvature, -gradient, rcond=FLAT)[0]
        size = 1.0
        while size > 1e-10 and loss(parameters + size * step)[0] > value:
            size /= 2
        if np.abs(size * step).max() <= 1e-12 * max(1.0, np.abs(parameters).max()):
            return parameters
        parameters = parameters + size * step
        value, gradient, curvature = loss(parameters)
    return parameters


def sigmoid_loss(logit: np.ndarray, y: np.ndarray) -> Loss:
    """Return the log loss of slope and intercept on logits (n,) of classes y (n,).

    It is against Platt's targets, which keep classes that never overlap finite.
    """
    positives = int(y.sum())
    target = np.where(y == 1, (positives + 1) / (positives + 2), 1 / (len(y) - positives + 2))
    inputs = np.column_stack([logit, np.ones(len(y))])

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        x = inputs @ parameters
        p = 1 / (1 + np.exp(-np.clip(x, -700, 700)))
        curvature = (inputs.T * (p * (1 - p))) @ inputs
        return np.sum(np.logaddexp(0, x) - target * x), inputs.T @ (p - target), curvature

    return loss


def temperature_loss(logs: np.ndarray, y: np.ndarray) -> Loss:
    """Return the log loss of the inverse temperature, in which it is convex; `logs` (n, n_classes).

    It is against Platt's targets, of more classes: where all samples are on the right side, no temperature is 0.
    """
    n_classes, of_class = logs.shape[1], np.bincount(y, minlength=logs.shape[1])[y]
    missed = 1 / (of_class + 2)
    target = np.repeat(missed[:, None] / (n_classes - 1), n_classes, axis=1)
    target[np.arange(len(y)), y] = 1 - missed

    def loss(inverse: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        x = logs * inverse[0]
        highest = x.max(axis=1)
        total = highest + np.log(np.exp(x - highest[:, None]).sum(axis=1))
        p = softmax(x)
        gradient, spread = np.sum((p - target) * logs), np.sum(p * logs**2) - np.sum((p * logs).sum(axis=1) ** 2)
        return np.sum(total - (target * x).sum(axis=1)), np.array([gradient]), np.array([[spread]])

    return loss
