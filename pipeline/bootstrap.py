"""How far the figures of a report could be off: resampling of groups for metrics, Wilson's interval for a share."""

from collections.abc import Iterator
from statistics import NormalDist

import numpy as np

from pipeline.metrics import Scorer

BLOCK = 2**18  # weights held at a time: 2 MB, so that a block's sums stay in the processor's cache
LEVEL = 0.95


def bootstrap(
    y: np.ndarray, proba: np.ndarray, decided: np.ndarray, groups: np.ndarray, draws: int, seed: int
) -> dict[str, np.ndarray]:
    """Return float64 (draws,) per metric of `pipeline.metrics.scores`, each draw on groups drawn with replacement.

    Arrays as for `scores`; `groups` (n,): ids of any one type, as many are drawn as there are. A draw that misses a
    class is NaN for the metrics that need it. The same groups, draws and seed give the same resamples whatever the
    predictions, so that two models' draws are paired: subtract them.
    """
    scorer = Scorer(y, proba, decided)
    blocks = [scorer(weights) for weights in resamples(groups, draws, seed)]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def resamples(groups: np.ndarray, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Yield blocks of float64 (rows, n), `draws` rows in all: how often each sample's group was drawn."""
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    rng = np.random.default_rng(seed)
    rows = max(1, BLOCK // len(member))
    for start in range(0, draws, rows):
        shape = min(rows, draws - start), len(names)
        drawn = rng.integers(len(names), size=shape) + np.arange(shape[0])[:, None] * len(names)
        counts = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(shape)
        yield counts.astype(np.float64).take(member, axis=1)


def intervals(draws: dict[str, np.ndarray], level: float = LEVEL) -> dict[str, list[float]]:
    """Return the percentile interval [low, high] of each metric's draws (Efron and Tibshirani 1993, chapter 13).

    Draws that are NaN are left out. Where they are more than half, the rest says too little: [nan, nan].
    """
    return {name: _percentiles(values, level) for name, values in draws.items()}


def difference_interval(a_draws: np.ndarray, b_draws: np.ndarray) -> list[float]:
    """Return the percentile interval [low, high] at `LEVEL` of a - b: one metric's paired draws (draws,) of two models.

    NaN in either counts as NaN of the difference; these are treated as by `intervals`.
    """
    return _percentiles(a_draws - b_draws, LEVEL)


def wilson(successes: int, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the score interval (low, high) of a share (Wilson 1927), in 0..1; NaN for n = 0.

    It holds its level near 0 and 1 and for small n, where a bootstrap of 0 errors in 20 would say 0 to 0.
    """
    if n == 0:
        return float("nan"), float("nan")
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = successes / n
    centre = share + z**2 / (2 * n)
    reach = z * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5
    # Written out at the ends, because rounding puts them a hair beside 0 and 1.
    low = 0.0 if successes == 0 else (centre - reach) / (1 + z**2 / n)
    high = 1.0 if successes == n else (centre + reach) / (1 + z**2 / n)
    return low, high


def _percentiles(values: np.ndarray, level: float) -> list[float]:
    defined = values[~np.isnan(values)]
    if not len(defined) or 2 * len(defined) < len(values):
        return [float("nan"), float("nan")]
    return np.quantile(defined, [(1 - level) / 2, (1 + level) / 2]).tolist()
