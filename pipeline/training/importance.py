"""Permutation importance of columns (Breiman 2001, section 10): how much worse held-out predictions become without one."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from pipeline.data.tables import is_number

MOST = 100  # columns of a table that are tried, those that tell most of the class
LEVELS = 20  # of a category that are looked at, the most frequent ones
CELLS = 20_000_000  # of a table that is predicted at once: 160 MB of numbers
Losses = Callable[[pd.DataFrame, np.ndarray], np.ndarray]


def leading(X: pd.DataFrame, y: np.ndarray) -> list[str]:
    """Return the columns whose importance is measured, in the order of X: all, or of a wide table the MOST that tell most
    of the class alone.

    It decides what is shown, and nothing of a model.
    """
    if len(X.columns) <= MOST:
        return list(X)
    shares = [max((explained(x, y) for x in as_numbers(X[name])), default=0.0) for name in X]
    return [X.columns[k] for k in sorted(np.argsort(shares, kind="stable")[-MOST:])]


def as_numbers(column: pd.Series) -> list[np.ndarray]:
    """Return a column of numbers with its mean for what is missing, or of a category an indicator of each level, float64 (n,)."""
    if is_number(column):
        return [column.fillna(column.mean()).fillna(0).to_numpy()]
    return [(column == level).to_numpy(np.float64) for level in column.value_counts().index[:LEVELS]]


def explained(x: np.ndarray, y: np.ndarray) -> float:
    """Return the share of the variance of x (n,) that the means of the classes y (n,) explain."""
    counts, total = np.bincount(y), x.var() * len(x)
    means = np.bincount(y, x) / np.maximum(counts, 1)
    return float(counts @ (means - x.mean()) ** 2 / total) if total > 0 else 0.0


def permuted(losses: Losses, X: pd.DataFrame, y: np.ndarray, columns: list[str], seed: list[int]) -> dict[str, float]:
    """Return by column the increase of the mean log loss on held-out samples when its values are permuted.

    `losses` gives the log loss of each sample, (n,). Several columns are tried in one prediction. If two columns have the same
    information, neither may seem to matter. Not scikit-learn's permutation_importance, which draws other permutations: figures
    would change.
    """
    rng, before, n = np.random.default_rng(seed), losses(X, y).mean(), len(X)
    at_once = max(1, CELLS // max(1, n * len(X.columns)))
    importance: dict[str, float] = {}
    for start in range(0, len(columns), at_once):
        part = columns[start : start + at_once]
        changed = X.iloc[np.tile(np.arange(n), len(part))].reset_index(drop=True)
        for k, name in enumerate(part):
            values = changed[name].to_numpy(copy=True)
            values[k * n : (k + 1) * n] = X[name].to_numpy()[rng.permutation(n)]
            changed[name] = values
        each = losses(changed, np.tile(y, len(part))).reshape(len(part), n)
        importance |= {name: float(loss.mean() - before) for name, loss in zip(part, each, strict=True)}
    return importance
