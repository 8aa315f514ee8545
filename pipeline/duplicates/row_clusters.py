"""Find table rows that lie far closer together than the spread of the columns explains: visits of one patient, edited copies.

The ratio of the distances to the k-th and the next neighbour is used: among independent rows of a locally smooth density in m
dimensions, ``(d_k / d_k+1) ** (m k)`` is uniform on 0..1, whatever the density (Facco et al. 2017, "Estimating the intrinsic
dimension of datasets by a minimal neighborhood information"). A group of k + 1 rows that belong together makes it tiny.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

LEVEL = 0.01  # expected share of rows that look clustered where none are
LEAST = 0.08  # share of rows that is said in any case: on a curved surface independent rows reach 0.07
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

    share : share of rows that lie in a cluster which the groups do not explain, 0..1
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
    whom little is known are alike by that alone. A row counts where the probability is below `LEVEL`, shared among the numbers of
    neighbours tried; the limit leaves four standard errors above that. A pair is joined at a level that holds over all rows
    (Bonferroni).
    """
    columns = [name for name in features if is_rich(features[name])]
    comparable = np.flatnonzero(count_atoms(features[columns]) <= MOST_ATOMS * len(columns))
    if len(comparable) < len(features):
        rest = find_clusters(features.iloc[comparable], [groups[row] for row in comparable], seed)
        return replace(rest, pairs=[(int(comparable[a]), int(comparable[b])) for a, b in rest.pairs])
    group, rng = pd.factorize(np.asarray(groups, dtype=object))[0], np.random.default_rng(seed)
    n = len(set(group))
    most = min(MOST_NEIGHBOURS, n // 15)
    limit = max(LEAST, LEVEL + 4 * np.sqrt(LEVEL * (1 - LEVEL) / max(n, 1)))
    if len(columns) < 2 or most < 1:
        return RowClusters(0.0, limit, [], columns)
    points = normal_scores(features[columns].to_numpy(np.float64), seed)
    shares, pairs = [], set()
    for _ in range(min(MOST_DRAWS, np.bincount(group).max())):
        order = rng.permutation(len(group))
        rows = np.sort(order[np.unique(group[order], return_index=True)[1]])  # one row of each group
        neighbours, p = neighbour_ratios(points[rows], most)
        shares.append((p < LEVEL / most).any(axis=1).mean())
        pairs |= {(int(rows[i]), int(rows[j])) for i, j in joined(neighbours, p < PAIR_LEVEL / (n * most))}
    return RowClusters(float(np.mean(shares)), float(limit), sorted(pairs), columns)


def joined(neighbours: np.ndarray, near: np.ndarray) -> set[tuple[int, int]]:
    """Return the pairs of rows that belong together, the smaller first.

    `near` bool (n, most): whether row i and its k + 1 nearest neighbours do.

    Small sets come first and are closed: sets of sets, such as the patients of one site, join nothing.
    """
    is_free, pairs = np.ones(len(near), bool), set()
    for k in range(near.shape[1]):
        taken = []
        for i in np.flatnonzero(near[:, k] & is_free):
            members = [i, *neighbours[i, : k + 1]]
            if is_free[members].all():
                taken += members
                pairs |= {(min(i, j), max(i, j)) for j in members[1:]}
        is_free[taken] = False
    return pairs


def is_rich(column: pd.Series) -> bool:
    """Return whether a column has numbers enough to say how close two rows are."""
    if column.dtype != np.float64:
        return False
    counts = column.value_counts()
    return len(counts) >= FEWEST_VALUES and counts.iloc[0] <= MOST_EQUAL * len(column)


def count_atoms(features: pd.DataFrame) -> np.ndarray:
    """Return in how many columns each row is missing, or has the one value that stands out by how often it comes, int (n,)."""
    atoms = np.zeros(len(features), int)
    for name in features:
        column = features[name]
        counts = column.value_counts()
        first, second = (counts.iloc[k] if len(counts) > k else 0 for k in (0, 1))
        stands_out = first >= ATOM_SHARE * len(column) and first >= ATOM_RATIO * second
        atoms += (column.isna() | (stands_out & (column == (counts.index[0] if len(counts) else np.nan)))).to_numpy(int)
    return atoms


def normal_scores(X: np.ndarray, seed: int) -> np.ndarray:
    """Return each column mapped to a normal distribution, float64 (n, n_columns), so that no unit, outlier or skew counts.

    Between `KNOTS` quantiles the map is linear: a small change stays small. Values that occur three times or more are spread at
    random over the quantiles that they cover, and NaN stands in the middle.
    """
    from scipy.stats import norm

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
        scores[:, k] = norm.ppf((quantile * (n - 1) + 0.5) / n)
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
