"""Predicted probabilities against observed shares, in bins."""

import numpy as np


def confidence(actual: np.ndarray, proba: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities that calibration is about, float64 (n,), and whether each came true, bool (n,).

    `actual` bool (n, K): the class of each sample; `proba` float (n, K). With two classes, the positive one's probability; of
    more the highest one's (Guo et al. 2017), whatever was decided.
    """
    column = np.ones(len(proba), dtype=np.int64) if proba.shape[1] == 2 else proba.argmax(axis=1)
    rows = np.arange(len(proba))
    return proba[rows, column].astype(np.float64), actual[rows, column]


def equal_width(bins: int) -> np.ndarray:
    """Return the inner edges, float64 (bins - 1,), of bins that divide 0..1 equally."""
    return np.linspace(0, 1, bins + 1)[1:-1]


def equal_count(p: np.ndarray, bins: int) -> np.ndarray:
    """Return the inner edges of at most so many bins that hold equally many of `p`, float (n,): fewer where many are equal."""
    return np.unique(np.quantile(p, equal_width(bins)))


def bin_of(p: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the bin, int64 (n,), of each of `p`, by the bins' inner `edges`: an upper edge belongs to its bin."""
    return np.searchsorted(edges, p, side="left")


def reliability(y: np.ndarray, p: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean predicted probability, the observed share of positives and the count of each bin.

    `y` int or bool (n,); `p` float (n,) in 0..1; `edges`: the bins' inner ones, (bins - 1,). Two float64 (bins,), NaN where a
    bin is empty, and an int64.
    """
    bins, where = len(edges) + 1, bin_of(p, edges)
    counts = np.bincount(where, minlength=bins)
    predicted, observed = (np.bincount(where, weights=values, minlength=bins) for values in (p, y))
    return ratio(predicted, counts), ratio(observed, counts), counts


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, NaN where `whole` is 0."""
    part, whole = np.broadcast_arrays(part, whole)
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
