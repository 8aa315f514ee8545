"""Which labels contradict what other samples teach: confident learning.

Northcutt, Jiang and Chuang 2021, "Confident learning: estimating uncertainty in dataset labels", JAIR 70:1373. Written from the
paper: a sample counts as confidently of class j if its probability of j is at least the mean probability of j among the samples
labelled j; of several such classes, the most probable one (section 3.1). The counts by label and confident class, each row scaled
to the number of its label, estimate how many labels i should be j; so many of those labelled i, with the largest margin of j over
i, are suspect (section 3.2, prune by noise rate).
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Suspects:
    """Samples whose label is suspect: `rows`, int (m,), the most suspect first, and what they may be instead, int (m,)."""

    rows: np.ndarray
    instead: np.ndarray


def suspects(y: np.ndarray, proba: np.ndarray) -> Suspects:
    """Return the suspect labels among `y`, int (n,), by probabilities out of fold, float (n, K).

    Ranked by how far the probability of another class is above that of the label; only those where it is.
    """
    rows, wrong = np.arange(len(y)), wrong_by_pair(y, proba)
    is_suspect = np.zeros(len(y), bool)
    for i, j in zip(*np.nonzero(wrong), strict=True):
        labelled = np.flatnonzero(y == i)
        margin = proba[labelled, j] - proba[labelled, i]
        is_suspect[labelled[np.argsort(-margin, kind="stable")[: wrong[i, j]]]] = True
    likely = proba.argmax(axis=1)
    margin = proba[rows, likely] - proba[rows, y]
    order = np.lexsort([rows, -margin])
    chosen = order[is_suspect[order] & (likely[order] != y[order])]
    return Suspects(chosen, likely[chosen])


def wrong_by_pair(y: np.ndarray, proba: np.ndarray) -> np.ndarray:
    """Return int (K, K): how many samples labelled i are estimated to be of class j; 0 on the diagonal."""
    n_classes = proba.shape[1]
    counts = np.bincount(y, minlength=n_classes)
    thresholds = np.array([proba[y == k, k].mean() if counts[k] else np.inf for k in range(n_classes)])
    confident = np.where(proba >= thresholds - 1e-12, proba, -1.0)
    counted = confident.max(axis=1) >= 0
    joint = np.zeros((n_classes, n_classes))
    np.add.at(joint, (y[counted], confident.argmax(axis=1)[counted]), 1)
    totals = joint.sum(axis=1, keepdims=True)
    scaled = np.divide(joint * counts[:, None], totals, out=np.zeros_like(joint), where=totals > 0)
    np.fill_diagonal(scaled, 0)
    return np.round(scaled).astype(int)
