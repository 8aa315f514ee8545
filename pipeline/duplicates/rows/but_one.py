"""Which existing row a submitted one equals in all columns but one: a copy in which one cell was changed or emptied."""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from pipeline.duplicates.rows.equal_rows import FEW
from pipeline.duplicates.rows.row_clusters import is_rich

FEWEST_SHARED = 3  # columns of many numbers that two rows share
MOST_COLUMNS = 60


class ButOne:
    """Existing rows by all their values but one.

    Two rows are called copies where no other patient is expected to share their measured values, as many as if columns were
    independent; the rarest value does not count, because two columns may say one thing.
    """

    def __init__(self, features: pd.DataFrame, keys: list[tuple[Any, ...]]):
        """Keep the rows; `keys` (n,) holds their values in the order of the columns of `features`."""
        self._rich = [k for k, name in enumerate(features) if is_rich(features[name])]
        self._keys, self._counts = keys, [Counter(key[k] for key in keys) for k in range(features.shape[1])]
        self._positions: dict[tuple[Any, ...], int] = {}
        if len(self._rich) <= FEWEST_SHARED or features.shape[1] > MOST_COLUMNS:
            return
        for position, key in enumerate(keys):
            for k in range(len(key)):
                self._positions.setdefault((k, *key[:k], *key[k + 1 :]), position)

    def find(self, key: tuple[Any, ...]) -> int | None:
        """Return the position of the existing row of which one with these values is a copy but for one cell, None without."""
        if not self._positions:
            return None
        for k in range(len(key)):
            position = self._positions.get((k, *key[:k], *key[k + 1 :]))
            if position is not None and self._expected(key, k) < FEW:
                return position
        return None

    def _expected(self, key: tuple[Any, ...], changed: int) -> float:
        """Return how many other patients are expected to share the measured values but the changed one."""
        n = len(self._keys)
        shares = sorted(self._counts[k][key[k]] / n for k in self._rich if k != changed and key[k] != "")
        return float(n * np.prod(shares[1:])) if len(shares) >= FEWEST_SHARED else float("inf")
