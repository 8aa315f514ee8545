"""Net benefit of deciding by a probability (Vickers and Elkin 2006, "Decision curve analysis", Medical Decision Making 26:565).

Whoever treats from a probability t on holds t / (1 - t) needless treatments to be as bad as one missed case is. In units of
true positives per sample, the net benefit is tp / n - fp / n * t / (1 - t); treating nobody has 0.
"""

import numpy as np

from pipeline.stats.intervals import reach_of


def contributions(y: np.ndarray, treated: np.ndarray, threshold: float) -> np.ndarray:
    """Return what each sample adds, float64 (n,): 1, or minus the odds of the threshold; the mean is the net benefit.

    `y`, `treated` bool (n,); `threshold` in 0..1. NaN where the threshold is 1, which weighs a false positive without end.
    """
    odds = threshold / (1 - threshold) if threshold < 1 else np.nan
    return np.where(treated, np.where(y, 1.0, -odds), 0.0)


def mean_interval(values: np.ndarray, groups: np.ndarray, widen: float = 1.0) -> tuple[float, list[float]]:
    """Return the mean of `values`, float (n,), and its 95 % interval [low, high], robust to samples alike within `groups` (n,).

    The variance is that of a ratio over groups by linearisation, as in `intervals.of_share`, with Student's quantile.
    [nan, nan] with fewer than two groups. `widen` multiplies the reach.
    """
    mean = float(np.mean(values))
    members = np.unique(groups, return_inverse=True)[1]
    n_groups = int(members.max()) + 1
    if n_groups < 2:
        return mean, [np.nan, np.nan]
    spread = float(np.sqrt((np.bincount(members, values - mean) ** 2).sum()) / len(values))
    reach = reach_of(n_groups) * widen * spread
    return mean, [mean - reach, mean + reach]
