"""Which existing row a submitted one is nearly equal to: jittered, rounded or otherwise edited copies."""

from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.duplicates.rows.equal_rows import FEW, expect_equal, is_beyond_chance, row_keys
from pipeline.duplicates.rows.row_clusters import is_rich
from pipeline.stats.components import joined_sets, pairs_of_equal

LEVEL = 0.01  # share of new patients' rows that are called a copy by chance
LEVEL_OF_COPIES = 0.2  # the same, where more of the rows submitted at once are copies than chance explains
FEWEST_COPIES = 3
COPY = 0.2  # the same, of two rows of one table that are each other's nearest
FEWEST_ROWS = 30
EQUAL = 1e-9  # distance of equal rows


class NearRows:
    """Existing rows, among which the near-copies of others are found.

    A row is called a copy of its nearest neighbour where the next one is so much farther off that of new patients one in a
    hundred has such a neighbour: ``(d_1 / d_2) ** m`` is uniform on 0..1 for them (see `row_clusters`). One that equals its
    neighbour is a copy where no other patient is expected to.
    """

    def __init__(self, features: pd.DataFrame):
        """Keep `features`, made by `data.tables.typed`; with fewer than two columns of many numbers nothing is compared."""
        from sklearn.neighbors import NearestNeighbors

        self.columns = [name for name in features if is_rich(features[name])]
        self.is_usable = len(self.columns) >= 2 and len(features) >= FEWEST_ROWS
        if not self.is_usable:
            return
        self._features = features[self.columns]
        self._known = {name: np.sort(features[name].dropna().to_numpy()) for name in self.columns}
        points = self._scores(features)
        self._neighbours = NearestNeighbors(n_neighbors=3).fit(points)
        distances = np.maximum(self._neighbours.kneighbors(points)[0][:, 1:], 1e-9)
        middle = min(np.median(distances[:, 0] / distances[:, 1]), 1 - 1e-9)
        self._dimension = min(np.log(2) / -np.log(middle), len(self.columns))
        ratio = distances[:, 0] / distances[:, 1]
        self._usual = max(LEVEL, float(np.mean(ratio**self._dimension < LEVEL)))  # more where numbers are rounded

    def are_copies(self, rows: pd.DataFrame) -> bool:
        """Return whether more of the rows lie next to an existing one than those of new patients do by chance."""
        n_near = sum(position is not None for position in self.find(rows))
        return n_near >= FEWEST_COPIES and is_beyond_chance(n_near, len(rows), self._usual)

    def find(self, rows: pd.DataFrame, level: float = LEVEL) -> list[int | None]:
        """For each row, return the position of the existing row that it copies; None where there is none."""
        if not self.is_usable or not len(rows):
            return [None] * len(rows)
        distances, positions = self._neighbours.kneighbors(self._scores(rows), n_neighbors=2)
        is_equal = distances[:, 0] < EQUAL
        distances = np.maximum(distances, EQUAL)
        is_near = (distances[:, 0] / distances[:, 1]) ** self._dimension < level
        is_copy = np.where(is_equal, self._expected[positions[:, 0]] < FEW, is_near)
        return [int(position) if near else None for position, near in zip(positions[:, 0], is_copy, strict=True)]

    @cached_property
    def _expected(self) -> np.ndarray:
        """How many other patients are expected to equal each row in the columns that are compared."""
        return expect_equal(self._features)

    def _scores(self, features: pd.DataFrame) -> np.ndarray:
        """Return the rows' values as normal scores among the existing ones, float64 (n, n_columns); missing is in the middle."""
        from scipy.special import ndtri

        scores = []
        for name in self.columns:
            known = self._known[name]
            values, first, count = np.unique(known, return_index=True, return_counts=True)
            quantile = np.interp(features[name].to_numpy(float), values, (first + count / 2) / len(known))
            scores.append(
                ndtri(np.clip(np.where(np.isnan(quantile), 0.5, quantile), 0.5 / len(known), 1 - 0.5 / len(known)))
            )
        return np.stack(scores, axis=1)


def without_copies(typed: pd.DataFrame, columns: list[str]) -> set[int]:
    """Return the rows without those that equal another one, exactly or nearly: copies make no column a patient.

    Nearly equal are two rows that are each other's nearest by the ranks in `columns`, and the next ones much farther away.
    """
    from sklearn.neighbors import NearestNeighbors

    points = typed[columns].rank(pct=True).fillna(0.5).to_numpy()
    equal = joined_sets(len(typed), pairs_of_equal(row_keys(typed)))
    single = np.setdiff1d(np.arange(len(typed)), [row for rows in equal for row in rows[1:]])
    if points.shape[1] == 0 or len(single) < FEWEST_ROWS:
        return set(single.tolist())
    distances, neighbours = NearestNeighbors(n_neighbors=3).fit(points[single]).kneighbors(points[single])
    nearest, ratio = neighbours[:, 1], distances[:, 1] / np.maximum(distances[:, 2], EQUAL)
    is_copy = (
        (ratio ** len(columns) < COPY)
        & (nearest[nearest] == np.arange(len(single)))
        & (nearest < np.arange(len(single)))
    )
    return set(single[~is_copy].tolist())
