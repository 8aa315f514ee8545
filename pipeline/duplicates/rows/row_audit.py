"""The pairs of table rows that are one patient's, and whether rows come in clusters that no group explains."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.data.audit_result import Pair
from pipeline.duplicates.rows.equal_rows import SEED, EqualRows, find_equal_rows, row_keys
from pipeline.duplicates.rows.row_clusters import RowClusters, find_clusters
from pipeline.stats.components import joined_sets, pairs_of_equal

NEAR = "near-equal row"
MOST_TOGETHER = 3  # rows: copies of one row, where the table as a whole does not come in clusters


@dataclass(frozen=True)
class RowAudit:
    """What `audit_rows` returns.

    pairs : equal rows beyond those that the columns explain, and rows that are nearly equal
    equal_pairs : pairs that join all rows that are equal in all features, explained or not
    equal : how many rows are equal, and how many of these the columns explain
    clusters : whether rows come in clusters that the groups do not explain
    """

    pairs: list[Pair]
    equal_pairs: list[Pair]
    equal: EqualRows
    clusters: RowClusters


def audit_rows(features: pd.DataFrame, groups: list[str]) -> RowAudit:
    """Return which rows belong together.

    Parameters
    ----------
    features : columns as `data.tables.typed` makes them: float64 (NaN is missing) or text
    groups : (n,) of each row, "" where it is unknown
    """
    keys = row_keys(features)
    equal = find_equal_rows(features, keys, SEED)
    twins = [(rows[0], other) for rows in equal.duplicates for other in rows[1:]]
    # Equal rows count as one: those that are explained are no clusters, others are joined already.
    together = [f"group:{group}" if group else f"row:{key}" for group, key in zip(groups, keys, strict=True)]
    clusters = find_clusters(features, together, SEED)
    near_pairs = clusters.pairs if clusters.detected else small_sets(clusters.pairs, len(features))
    ranks = features[clusters.columns].rank(pct=True).to_numpy()
    near = [Pair(a, b, NEAR, likeness(ranks, a, b), False) for a, b in near_pairs if keys[a] != keys[b]]
    return RowAudit(
        sorted([*as_copies(twins), *near], key=lambda pair: (pair.a, pair.b)),
        as_copies(pairs_of_equal(keys)),
        equal,
        clusters,
    )


def small_sets(pairs: list[tuple[int, int]], n: int) -> list[tuple[int, int]]:
    """Return the pairs of sets of few rows: in a table without clusters many rows that lie together are a kind of patient.

    Patients whose missing values are all written as 0, for instance, or as the mean.
    """
    is_small = {row for rows in joined_sets(n, pairs) if len(rows) <= MOST_TOGETHER for row in rows}
    return [pair for pair in pairs if pair[0] in is_small]


def as_copies(pairs: list[tuple[int, int]]) -> list[Pair]:
    """Return pairs of positions of equal rows."""
    return [Pair(a, b, "exact", 1.0, True) for a, b in pairs]


def likeness(ranks: np.ndarray, a: int, b: int) -> float:
    """Return 1 minus the mean difference of two rows' quantiles, of the columns that both have."""
    difference = np.abs(ranks[a] - ranks[b])
    return round(1 - float(np.nanmean(difference)), 3) if np.isfinite(difference).any() else 1.0
