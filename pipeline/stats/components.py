"""Connected components: sets of items that pairs join, directly or through other items."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np


def connected_components(n: int, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """Return the component of each of `n` items, int (n,), numbered in the order of their first items."""
    from scipy.sparse import coo_array, csgraph

    rows, columns = np.array(pairs, int).reshape(-1, 2).T
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(n, n))
    return csgraph.connected_components(graph, directed=False)[1]


def joined_sets(n: int, pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Return the components of two or more items as sorted lists, in the order of their first items."""
    sets: dict[int, list[int]] = {}
    for item, component in enumerate(connected_components(n, pairs).tolist()):
        sets.setdefault(component, []).append(item)
    return [items for items in sets.values() if len(items) > 1]


def pairs_of_equal(values: Iterable[str]) -> list[tuple[int, int]]:
    """Return pairs of positions that join all equal values; "" equals nothing."""
    positions: dict[str, list[int]] = {}
    for position, value in enumerate(values):
        if value:
            positions.setdefault(value, []).append(position)
    return [pair for equal in positions.values() for pair in pairwise(equal)]
