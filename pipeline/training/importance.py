"""Permutation importance of columns (Breiman 2001, section 10): how much worse held-out predictions become without one."""

from collections.abc import Callable

import numpy as np
import pandas as pd

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
    is_numeric = (X.dtypes == np.float64).to_numpy()
    shares = np.zeros(len(X.columns))
    shares[is_numeric] = explained(X.loc[:, is_numeric].to_numpy(), y)
    for k in np.flatnonzero(~is_numeric):
        shares[k] = explained(indicators(X[X.columns[k]]), y).max(initial=0.0)
    return [X.columns[k] for k in sorted(np.argsort(shares, kind="stable")[-MOST:])]


def indicators(column: pd.Series) -> np.ndarray:
    """Return an indicator of each of the most frequent levels of a category, float64 (n, k)."""
    levels = column.value_counts().index[:LEVELS]
    return (column.to_numpy()[:, None] == levels.to_numpy(dtype=object)).astype(np.float64)


def explained(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the share of the variance of each column of x (n, k) that the means of the classes y (n,) explain, float64 (k,).

    A missing number counts as the mean of its column.
    """
    n_known = np.maximum((~np.isnan(x)).sum(axis=0), 1)
    centred = np.nan_to_num(x - np.nansum(x, axis=0) / n_known)
    classes = np.eye(int(y.max()) + 1)[y]
    counts = classes.sum(axis=0)[:, None]
    between = ((classes.T @ centred) ** 2 / np.maximum(counts, 1)).sum(axis=0)
    total = (centred**2).sum(axis=0)
    return np.divide(between, total, out=np.zeros(len(total)), where=total > 0)


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
