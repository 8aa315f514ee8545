"""How the probabilities of several samples of one patient, or of one lesion, become one.

`mean_log_odds`: the mean of the log odds; with more than two classes, of the logarithms (a logarithmic opinion pool; Genest and
Zidek 1986, "Combining probability distributions", Statistical Science 1:114); `mean` of the probabilities; `max`: the highest
probability of the positive class, for findings that few images show; `top_3` and so on: the mean of the three highest. Of more
than two classes the highest are taken of each class, and scaled to a sum of 1.

`evaluation.by_group` chooses the method; `prediction.group_answer` answers with it. A sample alone keeps its probabilities,
and so do several that are equal.
"""

import numpy as np

from pipeline.prediction.decision_rule import SHRINK, log_odds, softmax, two_classes

DIGITS = 12  # of a pooled probability
LEAST = 0.5  # of a group's samples that have to be usable for an answer


def pool(proba: np.ndarray, member: np.ndarray, n_units: int, method: str) -> np.ndarray:
    """Return the probabilities of each unit, float64 (n_units, n_classes).

    `proba` (n, n_classes) are of samples, before calibration; `member` int (n,): each one's unit, of which every one has a
    sample.
    """
    if method == "mean_log_odds":
        pooled = from_log_odds(means(log_odds(proba), member, n_units), proba.shape[1])
    elif method == "mean":
        pooled = means(proba, member, n_units)
    else:
        k = 1 if method == "max" else int(method.removeprefix("top_"))
        pooled = highest(proba, member, n_units, k)
    pooled = pooled.round(DIGITS)  # what is left of a sum's order would rank units that are alike
    first = np.unique(member, return_index=True)[1]
    alike = np.ones(n_units, bool)
    alike[member[(proba != proba[first][member]).any(axis=1)]] = False
    pooled[alike] = proba[first[alike]]  # as they are: a mean would move the last digits, and part what is tied
    return pooled


def means(values: np.ndarray, member: np.ndarray, n_units: int) -> np.ndarray:
    """Return the mean of each unit's `values`, float64 (n,) or (n, k)."""
    size = np.bincount(member, minlength=n_units)
    columns = values[:, None] if values.ndim == 1 else values
    mean = np.stack([np.bincount(member, column, n_units) / size for column in columns.T], axis=1)
    return mean[:, 0] if values.ndim == 1 else mean


def from_log_odds(logs: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the probabilities whose `decision_rule.log_odds` are `logs`: without the little by which these are moved."""
    proba = two_classes(logs) if logs.ndim == 1 else softmax(logs)
    moved_back = ((proba - SHRINK / n_classes) / (1 - SHRINK)).clip(0, 1)
    return moved_back / moved_back.sum(axis=1, keepdims=True)


def highest(proba: np.ndarray, member: np.ndarray, n_units: int, k: int) -> np.ndarray:
    """Return the mean of the `k` highest probabilities of each unit: of the positive one of two classes, else of each class."""
    columns = [1] if proba.shape[1] == 2 else range(proba.shape[1])
    best = np.stack([mean_of_highest(proba[:, column], member, n_units, k) for column in columns], axis=1)
    return np.hstack([1 - best, best]) if proba.shape[1] == 2 else best / best.sum(axis=1, keepdims=True)


def mean_of_highest(values: np.ndarray, member: np.ndarray, n_units: int, k: int) -> np.ndarray:
    """Return the mean of the `k` highest of each unit's `values`, or of all where there are fewer, float64 (n_units,)."""
    order = np.lexsort([-values, member])
    size = np.bincount(member, minlength=n_units)
    rank = np.arange(len(values)) - np.repeat(np.cumsum(size) - size, size)
    kept = order[rank < k]
    return means(values[kept], member[kept], n_units)


def is_enough(n_usable: int, n: int) -> bool:
    """Return whether so many of a group's `n` samples are enough for an answer."""
    return n_usable > 0 and n_usable >= LEAST * n
