"""Find table rows that lie far closer together than the spread of the columns explains: visits of one patient, edited copies.

The ratio of the distances to the k-th and the next neighbour is used: among independent rows of a locally smooth density in m
dimensions, ``(d_k / d_k+1) ** (m k)`` is uniform on 0..1, whatever the density (Facco et al. 2017, "Estimating the intrinsic
dimension of datasets by a minimal neighborhood information"). A group of k + 1 rows that belong together makes it tiny.

So does a compact subtype: 20 rows of one look like 20 visits of one patient. What differs is how many there are. A table holds
a dozen kinds of patients at most, each with 20 rows or more on average, and many patients: so the largest clusters, as many as
there may be kinds, are left out of what counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

LEVEL = 0.01  # expected share of rows that look clustered where none are
MOST_KINDS, ROWS_OF_KIND = 12, 20  # subtypes that a table may hold, and rows of one on average
SMALLEST_KIND = (
    5  # rows; fewer are no subtype, but copies or visits, if more than LEAST_SMALL of all rows are in such sets
)
# Shares of rows: 0.014 and 0.07 were the largest in 2,000 simulated tables of independent rows.
LEAST, LEAST_SMALL = (0.02, 0.08)
FEWEST_VALUES = 8  # distinct numbers of a column that says how close two rows are
MOST_EQUAL = 0.5  # share of its commonest value
MOST_ATOMS = 0.5  # share of the columns in which a row may be missing or have the value that stands out
ATOM_SHARE, ATOM_RATIO = 0.03, 3  # of the rows, and times as often as the next value: a value that stands out
MOST_NEIGHBOURS = 30
KNOTS = 16
MOST_DRAWS = 5
PAIR_LEVEL = 0.05  # probability that any pair at all is joined in a table of independent rows


@dataclass(frozen=True)
class RowClusters:
    """What `find_clusters` returns.

    share : share of rows that lie in a cluster which neither groups nor subtypes explain, 0..1
    limit : the share from which on rows are said to come in clusters
    pairs : positions of rows that almost surely belong together, sorted, each with the smaller position first
    columns : the names of the columns that were compared; with fewer than two nothing can be said
    """

    share: float
    limit: float
    pairs: list[tuple[int, int]]
    columns: list[str]

    @property
    def detected(self) -> bool:
        """Whether more rows lie in clusters than chance explains."""
        return self.share > self.limit


def find_clusters(features: pd.DataFrame, groups: Sequence[str], seed: int) -> RowClusters:
    """Return whether rows come in clusters that their groups do not explain, and the pairs that certainly belong together.

    Parameters
    ----------
    features : columns as `data.tables.typed` makes them: float64 (NaN is missing) or text
    groups : (n,) of each row; rows of one group may lie as close together as they like
    seed : breaks ties between equal numbers

    Notes
    -----
    Only columns of many distinct numbers count. One row of each group takes part, in several draws, so that what is found is not
    explained by the groups. Rows most of whose values are missing, or the 0 that stands for missing, are left out: patients of
    whom little is known are alike by that alone. A row lies in a cluster where the probability is below `LEVEL`, shared among the
    numbers of neighbours tried; `count_shares` says which of them count. A pair is joined at a level that holds over all rows
    (Bonferroni).
    """
    columns = [name for name in features if is_rich(features[name])]
    comparable = np.flatnonzero(count_atoms(features[columns]) <= MOST_ATOMS * len(columns))
    if len(comparable) < len(features):
        rest = find_clusters(features.iloc[comparable], [groups[row] for row in comparable.tolist()], seed)
        return replace(rest, pairs=[(int(comparable[a]), int(comparable[b])) for a, b in rest.pairs])
    group, rng = pd.factorize(np.asarray(groups, dtype=object))[0], np.random.default_rng(seed)
    n = len(set(group))
    most = min(MOST_NEIGHBOURS, n // 15)
    error = np.sqrt(LEVEL * (1 - LEVEL) / max(n, 1))
    limits = np.array([max(LEAST, LEVEL + 2 * error), max(LEAST_SMALL, LEVEL + 4 * error)])
    if len(columns) < 2 or most < 1:
        return RowClusters(0.0, float(limits[0]), [], columns)
    points = normal_scores(features[columns].to_numpy(np.float64), seed)
    shares, pairs = [], set()
    for _ in range(min(MOST_DRAWS, np.bincount(group).max())):
        order = rng.permutation(len(group))
        rows = np.sort(order[np.unique(group[order], return_index=True)[1]])  # one row of each group
        neighbours, p = neighbour_ratios(points[rows], most)
        shares.append(count_shares(neighbours, p < LEVEL / most))
        pairs |= {(int(rows[i]), int(rows[j])) for i, j in joined(neighbours, p < PAIR_LEVEL / (n * most))}
    share = np.mean(shares, axis=0)
    clearer = int(np.argmax(share / limits))
    return RowClusters(float(share[clearer]), float(limits[clearer]), sorted(pairs), columns)


def count_shares(neighbours: np.ndarray, near: np.ndarray) -> tuple[float, float]:
    """Return the share of rows in clusters beyond the largest, which may be subtypes, and that in clusters too small for one.

    `near` bool (n, most): whether row i and its k + 1 nearest neighbours lie together.
    """
    n = len(near)
    cluster = np.full(n, -1)
    for rows in closed_sets(neighbours, near):
        cluster[rows] = rows[0]
    is_near = np.flatnonzero(near.any(axis=1))
    reach = near.argmax(axis=1)
    for i in is_near[cluster[is_near] < 0]:
        known = cluster[neighbours[i, : reach[i] + 1]]
        known = known[known >= 0]
        cluster[i] = np.bincount(known).argmax() if len(known) else i
    _, number, size = np.unique(cluster, return_inverse=True, return_counts=True)
    counted = np.bincount(number[is_near], minlength=len(size))
    n_kinds = min(MOST_KINDS, n // ROWS_OF_KIND)
    beyond = np.sort(counted)[::-1][n_kinds:].sum()
    return float(beyond / n), float(counted[size < SMALLEST_KIND].sum() / n)


def joined(neighbours: np.ndarray, near: np.ndarray) -> set[tuple[int, int]]:
    """Return the pairs of rows that belong together, the smaller first; `near` as in `closed_sets`."""
    sets = closed_sets(neighbours, near)
    return {(min(rows[0], other), max(rows[0], other)) for rows in sets for other in rows[1:]}


def closed_sets(neighbours: np.ndarray, near: np.ndarray) -> list[list[int]]:
    """Return sets of rows that belong together.

    `near` bool (n, most): whether row i and its k + 1 nearest neighbours do.

    Small sets come first and are closed: sets of sets, such as the patients of one site, join nothing.
    """
    is_free, sets = np.ones(len(near), bool), []
    for k in range(near.shape[1]):
        taken = []
        for i in np.flatnonzero(near[:, k] & is_free):
            rows = [int(i), *neighbours[i, : k + 1].tolist()]
            if is_free[rows].all():
                taken += rows
                sets.append(rows)
        is_free[taken] = False
    return sets


def is_rich(column: pd.Series) -> bool:
    """Return whether a column has numbers enough to say how close two rows are."""
    if column.dtype != np.float64:
        return False
    counts = count_values(column.to_numpy())[1]
    return len(counts) >= FEWEST_VALUES and counts.max() <= MOST_EQUAL * len(column)


def count_atoms(features: pd.DataFrame) -> np.ndarray:
    """Return in how many columns each row is missing, or has the one value that stands out by how often it comes, int (n,)."""
    atoms = np.zeros(len(features), int)
    for x in features.to_numpy(np.float64).T:
        values, counts = count_values(x)
        second, first = np.sort([0, 0, *counts])[-2:]
        atoms += np.isnan(x)
        if first >= ATOM_SHARE * len(x) and first >= ATOM_RATIO * second and first > 0:
            atoms += x == values[counts.argmax()]
    return atoms


def count_values(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of x, float64 (n,), without NaN, and how often each comes; a tenth of the time of `value_counts`."""
    return np.unique(x[~np.isnan(x)], return_counts=True)


def normal_scores(X: np.ndarray, seed: int) -> np.ndarray:
    """Return each column mapped to a normal distribution, float64 (n, n_columns), so that no unit, outlier or skew counts.

    Between `KNOTS` quantiles the map is linear: a small change stays small. Values that occur three times or more are spread at
    random over the quantiles that they cover, and NaN stands in the middle.
    """
    from scipy.special import ndtri

    rng, n = np.random.default_rng(seed), len(X)
    scores = np.empty_like(X)
    for k, column in enumerate(X.T):
        known = np.where(np.isfinite(column), column, np.nanmedian(column))
        levels = np.linspace(0, 1, min(KNOTS, n) + 1)
        knots, first = np.unique(np.quantile(known, levels), return_index=True)
        quantile = np.interp(known, knots, levels[first])
        _, inverse, count = np.unique(known, return_inverse=True, return_counts=True)
        below = np.cumsum(count) - count
        spread = (below[inverse] + rng.random(n) * count[inverse]) / n
        quantile = np.where(count[inverse] >= 3, spread, quantile)
        scores[:, k] = ndtri((quantile * (n - 1) + 0.5) / n)
    return scores


def neighbour_ratios(points: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest neighbours, int (n, most), and for each k = 1..most the probability of so small a ratio, (n, most).

    The intrinsic dimension m is the median over k of what the median ratio gives.
    """
    from sklearn.neighbors import NearestNeighbors

    distances, neighbours = NearestNeighbors(n_neighbors=most + 2).fit(points).kneighbors(points)
    distances, neighbours = np.maximum(distances[:, 1:], 1e-9), neighbours[:, 1:-1]
    ratio, k = distances[:, :-1] / distances[:, 1:], np.arange(1, most + 1)
    middle = np.minimum(np.median(ratio, axis=0), 1 - 1e-9)
    dimension = np.median(np.log(2) / (-np.log(middle) * k))
    return neighbours, ratio ** (dimension * k)
