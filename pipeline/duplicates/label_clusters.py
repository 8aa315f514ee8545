"""Find samples whose nearest neighbours share their label more than smooth dependence on what they show explains.

Visits of one patient that differ too much to lie clearly apart from other patients (`rows.row_clusters`), and two or three images
of one under names that say nothing, still share the label, and this is what makes figures too good. Where the label depends on
columns or pixels alone, neighbours agree less the farther they are: the
share of pairs that agree falls with the distance, which grows as k ** (1 / m) for the k-th neighbour in m dimensions. So the
agreement of the nearest is compared with the line through that of farther ones, and its spread with labels drawn from what
farther neighbours have.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.duplicates.rows.row_clusters import is_rich, normal_scores

NEAREST = (1, 2, 4)  # neighbours that may be one patient's
FARTHEST = (24, 10)  # neighbours of the line at least, and times as many as the nearest
FEWEST_FAR = 9
FAR = slice(8, 28)  # neighbours whose labels stand for the probability of a label
SMOOTHING = 0.1  # share of the classes' own frequencies in it
DRAWS, MOST_DRAWS = 100, 3
FEWEST_ROWS, FEWEST_JUDGED, MOST_ROWS = 60, 20, 20_000
DEVIATIONS = 3.5  # 0 to 3 % of independent tables are above, with labels of nine kinds
LEAST = 0.1  # agreement beyond the line, in units where 1 is always and 0 by chance


@dataclass(frozen=True)
class LabelClusters:
    """What is returned: by how much the nearest agree more than farther ones explain, 1 for always; `columns`: compared."""

    excess: float
    detected: bool
    columns: list[str]


def of_rows(
    features: pd.DataFrame,
    labels: Sequence[str],
    together: Sequence[object],
    seed: int,
    judged: np.ndarray | None = None,
) -> LabelClusters:
    """Return whether rows share their label with the nearest rows as visits of one patient do.

    Parameters
    ----------
    features : columns as `data.tables.typed` makes them: float64 (NaN is missing) or text
    labels : (n,) of each row
    together : (n,) rows with the same value are known to be one patient's: one of each takes part, in several draws
    seed : of these draws, and of ties between equal numbers
    judged : bool (n,), whose nearest neighbours are judged, all by default
    """
    # Only measurements: the values of a category are kinds of patients, whose label may be their own.
    columns = [name for name in features if is_rich(features[name])]
    if len(columns) < 2 or len(features) < FEWEST_ROWS:
        return LabelClusters(0.0, False, columns)
    points = normal_scores(features[columns].to_numpy(np.float64), seed)
    return replace(of_points(points, labels, together, seed, judged), columns=columns)


def of_points(
    points: np.ndarray,
    labels: Sequence[str],
    together: Sequence[object],
    seed: int,
    judged: np.ndarray | None = None,
) -> LabelClusters:
    """Return the same of points (n, n_dimensions), the embeddings of images for instance."""
    rng = np.random.default_rng(seed)
    group, label = pd.factorize(np.asarray(together, dtype=object))[0], pd.factorize(np.asarray(labels, dtype=str))[0]
    judged = np.ones(len(label), bool) if judged is None else judged
    if group.max(initial=-1) + 1 < FEWEST_ROWS or label.max() == 0 or len(set(group[judged])) < FEWEST_JUDGED:
        return LabelClusters(0.0, False, [])
    results = []
    for _ in range(MOST_DRAWS if len(group) > group.max() + 1 else 1):
        order = rng.permutation(len(group))
        rows = np.sort(order[np.unique(group[order], return_index=True)[1]])  # one of each
        rows = np.sort(rng.permutation(rows)[:MOST_ROWS])
        results.append(excess_agreement(np.asarray(points[rows]), label[rows], judged[rows], rng))
    excess, deviations = np.mean(results, axis=0)
    best = int(np.argmax(np.where(excess > LEAST, deviations, -np.inf)))
    return LabelClusters(float(excess[best]), bool(excess[best] > LEAST and deviations[best] > DEVIATIONS), [])


def excess_agreement(
    points: np.ndarray, label: np.ndarray, judged: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return for each number of `NEAREST` by how much they agree more than the line, and that in standard deviations.

    Of the `judged` points (n,), with the neighbours among all.
    """
    from sklearn.neighbors import NearestNeighbors

    n, codes = len(label), np.unique(label, return_inverse=True)[1]
    most = min(max(FARTHEST[0], FARTHEST[1] * NEAREST[-1]), n // 4)
    distances, neighbours = NearestNeighbors(n_neighbors=most + 1).fit(points).kneighbors(points)
    distances, neighbours = distances[:, 1:], neighbours[:, 1:]
    weights = contrasts(most, dimension(distances))
    frequency = np.bincount(codes) / n
    far = neighbours[:, FAR]
    probability = np.stack([(codes[far] == code).mean(axis=1) for code in range(len(frequency))], axis=1)
    cumulated = np.cumsum((1 - SMOOTHING) * probability + SMOOTHING * frequency, axis=1)[:, :-1]
    drawn = np.array(
        [weights @ agreement(neighbours, (rng.random((n, 1)) > cumulated).sum(axis=1), judged) for _ in range(DRAWS)]
    )
    excess = weights @ agreement(neighbours, codes, judged)
    return excess, (excess - drawn.mean(axis=0)) / np.maximum(drawn.std(axis=0), 1e-9)


def dimension(distances: np.ndarray) -> float:
    """Return in how many ways rows differ nearby, as in `row_clusters.neighbour_ratios`, 1 at least."""
    near = np.maximum(distances[:, :30], 1e-9)
    ratio = np.minimum(np.median(near[:, :-1] / near[:, 1:], axis=0), 1 - 1e-9)
    return max(1.0, float(np.median(np.log(2) / (-np.log(ratio) * np.arange(1, near.shape[1])))))


def contrasts(most: int, m: float) -> np.ndarray:
    """Return weights (n_nearest, most): the mean of the nearest minus the line through farther ones at their distance."""
    weights, distance = [], np.arange(1, most + 1) ** (1 / m)
    for nearest in NEAREST:
        far = np.arange(2 * nearest + 1, min(most, max(FARTHEST[0], FARTHEST[1] * nearest)))
        if len(far) < FEWEST_FAR:
            break
        line = np.linalg.pinv(np.column_stack([np.ones(len(far)), distance[far]]))
        weight = np.zeros(most)
        weight[:nearest] = 1 / nearest
        weight[far] -= np.array([1, distance[:nearest].mean()]) @ line
        weights.append(weight)
    return np.array(weights)


def agreement(neighbours: np.ndarray, codes: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """Return how far judged rows and their k-th neighbours have the same label, (n_neighbours,): 1 is always, 0 as by chance."""
    total, variance = np.zeros(neighbours.shape[1]), 0.0
    for code in np.unique(codes):
        centred = (codes == code) - (codes == code).mean()
        total += (centred[judged, None] * centred[neighbours[judged]]).mean(axis=0)
        variance += centred.var()
    return total / variance if variance else total
