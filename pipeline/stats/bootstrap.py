"""Resampling of groups: how far a figure, or the difference of two, could be off."""

from collections.abc import Iterator

import numpy as np

from pipeline.stats.intervals import LEVEL
from pipeline.stats.metrics import Scorer

BLOCK = 2**18  # weights held at a time: 2 MB, so that a block's sums stay in the processor's cache


def bootstrap(
    y: np.ndarray, proba: np.ndarray, decided: np.ndarray, groups: np.ndarray, draws: int, seed: int
) -> dict[str, np.ndarray]:
    """Return float64 (draws,) per metric of `pipeline.stats.metrics.scores`, each draw on groups drawn with replacement.

    Arrays as for `scores`; `groups` (n,): ids of any one type, as many are drawn as there are. A draw that misses a
    class is NaN for the metrics that need it. The same groups, draws and seed give the same resamples whatever the
    predictions, so that two models' draws are paired: subtract them.
    """
    return bootstrap_both(y, proba, decided, groups, draws, seed)[0]


def bootstrap_both(
    y: np.ndarray, proba: np.ndarray, decided: np.ndarray, groups: np.ndarray, draws: int, seed: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return what `bootstrap` returns, and float64 (draws, K) of each class: f1 and roc_auc."""
    scorer = Scorer(y, proba, decided)
    blocks = [scorer.both(weights) for weights in resamples(groups, draws, seed)]
    overall, of_classes = (
        {name: np.concatenate([block[name] for block in part]) for name in part[0]}
        for part in zip(*blocks, strict=True)
    )
    return overall, of_classes


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


def difference_interval(a_draws: np.ndarray, b_draws: np.ndarray) -> list[float]:
    """Return the percentile interval [low, high] of a - b: one metric's paired draws (draws,) of two models.

    Draws that are NaN in either are left out (Efron and Tibshirani 1993, chapter 13). Where they are more than half, the rest
    says too little: [nan, nan].
    """
    values = a_draws - b_draws
    defined = values[~np.isnan(values)]
    if not len(defined) or 2 * len(defined) < len(values):
        return [float("nan"), float("nan")]
    return np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()
