"""Find rows of a table that are equal in all features more often than the columns' joint distribution explains.

In a table of a few yes/no columns most rows equal others, and are other patients all the same. In one of measured numbers two
equal rows are one patient, entered twice.
How often equal rows are to be expected is drawn from a model of the table in which each column depends on those before it
through a tree with large leaves (Reiter 2005, "Using CART to generate partially synthetic public use microdata"): leaves of many
rows know how columns depend on each other, but no single pair of rows. Two draws of one value count as equal as often as two
different rows of the leaf are: of m rows with that value a draw keeps it with the probability sqrt((m - 1) / m).
"""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.stats.components import joined_sets, pairs_of_equal

if TYPE_CHECKING:
    from sklearn.tree import BaseDecisionTree

SEED = 0  # of draws and ties: an audit does not depend on the seed of the split
LEAF = 20  # rows at least: a pair of equal rows is a tenth of a leaf at most
DEPTH = 12
DRAWS = 5
MOST_ROWS = 20_000  # that the model is fitted to; with more, to a part
FEW = 0.02  # other patients expected to equal a row: with fewer, an equal row is a copy
SUSPICIOUS = 0.001  # probability that so many rows of new patients equal known ones
MOST_SUMMED, ROWS_OF_SUM = 60, 5000  # columns and rows in which a sum is sought
SLACK = 4.0  # times as many equal pairs as expected are explained: of scales that measure one thing the trees see half


@dataclass(frozen=True)
class EqualRows:
    """Rows that are equal in all features.

    n_equal : rows that equal another one
    expected : pairs of equal rows that the columns' distribution explains
    n_pairs : pairs of equal rows that there are
    duplicates : sets of positions of equal rows beyond those that are explained
    """

    n_equal: int
    n_pairs: int
    expected: float
    duplicates: list[list[int]]


def find_equal_rows(features: pd.DataFrame, keys: list[str], seed: int) -> EqualRows:
    """Return how many rows equal others, how many of these the columns explain, and which ones are not explained.

    Parameters
    ----------
    features : columns as `data.tables.typed` makes them: float64 (NaN is missing) or text
    keys : (n,) rows with the same key are equal in all features
    seed : of the draws
    """
    sets = joined_sets(len(features), pairs_of_equal(keys))
    if not sets:
        return EqualRows(0, 0, 0.0, [])
    codes = as_codes(features)
    rng = np.random.default_rng(seed)
    synthetic, likelihood = model(codes, rng)
    expected = float(np.mean([count_pairs(drawn) * scale for drawn, scale in synthetic]))
    n_pairs = sum(len(rows) * (len(rows) - 1) // 2 for rows in sets)
    duplicates, left = [], n_pairs
    too_many = n_pairs > SLACK * expected + 2 * np.sqrt(expected)
    for equal in sorted(sets, key=lambda rows: (likelihood[rows[0]], rows)):  # the least likely first
        if not too_many or left <= expected:
            break
        duplicates.append(equal)
        left -= len(equal) * (len(equal) - 1) // 2
    return EqualRows(sum(map(len, sets)), n_pairs, expected, sorted(duplicates))


def expect_equal(features: pd.DataFrame) -> np.ndarray:
    """Return how many other patients are expected to equal each row, float64 (n,); 0 where one of its values is nobody else's.

    The probability of each value, without the row itself, is the mean of that in its leaf and that in the whole column.
    """
    codes = as_codes(features)
    n = len(codes)
    probability = np.ones(n)
    for k in range(codes.shape[1]):
        tree = grow(codes[:, :k], codes[:, k]) if k and len(np.unique(codes[:, k])) > 1 else None
        everywhere = np.zeros(n)
        shares = [
            (count_in_leaf(leaves, codes[:, k]) - 1) / np.maximum(count_in_leaf(leaves, everywhere) - 1, 1)
            for leaves in (find_leaves(tree, codes[:, :k]), everywhere)
        ]
        probability *= np.mean(shares, axis=0)
    return n * probability


def is_beyond_chance(n_equal: int, n: int, share: float) -> bool:
    """Return whether more of `n` new rows equal known ones than the `share` of patients that do explains."""
    from scipy.special import bdtrc

    return bool(n_equal and bdtrc(n_equal - 1, n, share) < SUSPICIOUS)


def copied_pairs(both: pd.DataFrame, n_own: int) -> list[tuple[int, int]]:
    """Return the pairs of positions of equal rows that are one patient's, of own rows and those of another table behind them.

    A row that equals an own one is a copy where no other patient is expected to, or where more rows do than chance explains.

    Parameters
    ----------
    both : columns as `data.tables.typed` makes them, of all rows
    n_own : how many of them are own rows
    """
    keys = row_keys(both)
    first: dict[str, int] = {}
    for position, key in enumerate(keys[:n_own]):
        first.setdefault(key, position)
    equal = [(first[key], n_own + position) for position, key in enumerate(keys[n_own:]) if key in first]
    others = both.iloc[n_own:].reset_index(drop=True)
    pairs = [
        (n_own + rows[0], n_own + other)
        for rows in find_equal_rows(others, keys[n_own:], SEED).duplicates
        for other in rows[1:]
    ]
    if not equal:
        return pairs
    counts = Counter(keys[:n_own])
    share = float(np.mean([counts[key] > 1 for key in keys[:n_own]]))
    if not is_beyond_chance(len(equal), len(others), share):
        expected = expect_equal(both.iloc[:n_own].reset_index(drop=True))
        equal = [(own, other) for own, other in equal if expected[own] < FEW]
    return pairs + equal


def row_keys(features: pd.DataFrame) -> list[str]:
    """Return a key of each row: rows whose values are equal, 1.50 and 1.5, have equal keys."""
    return ["\x1f".join(map(str, row)) for row in features.itertuples(index=False, name=None)]


def as_codes(features: pd.DataFrame) -> np.ndarray:
    """Return each column as the ranks of its values, int (n, n_columns), missing as -1; those of few values come first.

    Sums and other linear functions of columns before them are left out: rows that are equal in these are equal in them.
    """
    codes = []
    for name in features:
        column = features[name]
        column = column.where(column != "") if column.dtype == object else column
        codes.append(pd.factorize(column, sort=True)[0])
    order = sorted(range(len(codes)), key=lambda k: len(np.unique(codes[k])))
    kept: list[int] = []
    for k in order:
        numbers = [features.iloc[:, other] for other in kept if features.iloc[:, other].dtype == np.float64]
        if not is_linear(features.iloc[:, k], numbers):
            kept.append(k)
    return np.stack([codes[k] for k in kept], axis=1)


def is_linear(column: pd.Series, others: list[pd.Series]) -> bool:
    """Return whether a column of numbers is a linear function of others, to half of its smallest step."""
    if column.dtype != np.float64 or not 2 <= len(others) <= MOST_SUMMED or column.nunique() < 3:
        return False
    table = np.column_stack([np.ones(len(column)), *others, column])[:ROWS_OF_SUM]
    table = table[np.isfinite(table).all(axis=1)]
    if len(table) < 2 * table.shape[1]:
        return False
    step = np.diff(np.unique(table[:, -1])).min(initial=np.inf)
    weights = np.linalg.lstsq(table[:, :-1], table[:, -1], rcond=None)[0]
    return bool(np.abs(table[:, :-1] @ weights - table[:, -1]).max() <= 0.51 * step)


def model(codes: np.ndarray, rng: np.random.Generator) -> tuple[list[tuple[np.ndarray, float]], np.ndarray]:
    """Return drawn tables with the factor from their number of pairs to that of `codes`, and the log likelihood of each row."""
    n = len(codes)
    fitted = codes[rng.permutation(n)[:MOST_ROWS]]
    drawn, keys = ([np.zeros_like(fitted) for _ in range(DRAWS)] for _ in range(2))
    likelihood = np.zeros(n)
    for k in range(codes.shape[1]):
        tree = grow(fitted[:, :k], fitted[:, k]) if k and len(np.unique(fitted[:, k])) > 1 else None
        of_fitted, of_all = (find_leaves(tree, table[:, :k]) for table in (fitted, codes))
        size = count_in_leaf(of_fitted, fitted[:, k])
        for table, key in zip(drawn, keys, strict=True):
            row = draw(find_leaves(tree, table[:, :k]), of_fitted, rng)
            table[:, k] = fitted[row, k]
            is_own = rng.random(len(row)) > np.sqrt((size[row] - 1) / size[row])
            key[:, k] = np.where(is_own, -2 - np.arange(len(row)), table[:, k])
        likelihood += np.log(count_in_leaf(of_all, codes[:, k]) / count_in_leaf(of_all, np.zeros(n)))
    return [(key, (n / len(fitted)) ** 2) for key in keys], likelihood


def grow(before: np.ndarray, column: np.ndarray) -> "BaseDecisionTree":
    """Return a tree with large leaves that guesses a column of codes from those before it."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    few = len(np.unique(column)) <= 10
    kind = DecisionTreeClassifier if few else DecisionTreeRegressor
    return kind(max_depth=DEPTH, min_samples_leaf=LEAF, random_state=0).fit(before, column)


def find_leaves(tree: "BaseDecisionTree | None", before: np.ndarray) -> np.ndarray:
    """Return the leaf of each row, 0 without a tree."""
    return np.zeros(len(before), int) if tree is None else tree.apply(before)


def draw(leaves: np.ndarray, of_fitted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return for each of the `leaves` the position of a fitted row in it, drawn at random."""
    order = np.argsort(of_fitted, kind="stable")
    start = np.searchsorted(of_fitted[order], leaves, "left")
    size = np.searchsorted(of_fitted[order], leaves, "right") - start
    return order[start + (rng.random(len(leaves)) * size).astype(int)]


def count_in_leaf(leaves: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return how many rows of its leaf have each row's value, int (n,)."""
    return (
        pd.DataFrame({"leaf": leaves, "value": values}).groupby(["leaf", "value"])["leaf"].transform("size").to_numpy()
    )


def count_pairs(table: np.ndarray) -> int:
    """Return the number of pairs of equal rows."""
    counts = np.unique(table, axis=0, return_counts=True)[1]
    return int((counts * (counts - 1) // 2).sum())
