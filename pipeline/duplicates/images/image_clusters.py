"""Find images that come in sets which are each other's nearest neighbours: several images of one patient under meaningless names.

Of independent images hardly any four are among each other's nearest ones, because what is near one of them has neighbours of its
own. This depends on ranks alone, so that neither several scanners nor rare looks count. Measured on embeddings (share of the
images in such sets): single photos of 1,071 and 1,724 skin lesions 0.004 and 0; 300 drawn images of three scanners 0.06;
6 drawn images of each of 40 patients 0.39 to 0.42; augmented tiles of lung tissue 0.59.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.data.audit_result import FEWEST_OF_SET as FEWEST
from pipeline.data.audit_result import MOST_OF_SET as MOST
from pipeline.stats.components import joined_sets

MISSING = 0.15  # share of a set's other images that an image may not have among its nearest, on average
FEWEST_SETS = 7  # fewer may be kinds of images
OF_CLASS = 0.5  # share of its class that a set may hold
LEAST, LEAST_SMALL = (
    0.2,
    1.5,
)  # limit of the share of images in sets, and what is added to it over the root of their number
LEAST_AGREEMENT = 0.5  # of the labels in sets; kinds of images with labels of their own have none
FEWEST_DIMENSIONS = 4  # images that differ in fewer ways lie on a line or a surface, where chance makes such sets
MOST_DRAWS = 3
ENOUGH = 20_000  # images of which one draw is enough: a share has a standard error of .003 then
DIMENSIONS_BY = 10  # neighbours
AT_ONCE = 256  # images whose neighbours are compared at once: 16 MB


@dataclass(frozen=True)
class ImageClusters:
    """What `find_clusters` returns: the share of the images that lie in sets, and the share from which on they are said to.

    `agreement`: how far images of a set have one label, 1 for always, 0 as by chance.
    """

    share: float
    limit: float
    agreement: float = 1.0

    @property
    def detected(self) -> bool:
        """Whether more images lie in sets than chance explains, and these share their label as those of one patient do."""
        return self.share > self.limit and self.agreement > LEAST_AGREEMENT


def find_clusters(
    embeddings: np.ndarray, labels: Sequence[str], groups: Sequence[str], pairs: list[tuple[int, int]], seed: int
) -> ImageClusters:
    """Return whether images come in sets that neither groups nor copies explain.

    Parameters
    ----------
    embeddings : (n, n_features) of each image
    labels, groups : (n,) of each image; a group is "" where it is unknown
    pairs : positions of images that are the same or nearly so
    seed : of the images that stand for a group or a set of copies: one of each takes part, in several draws
    """
    n, rng = len(embeddings), np.random.default_rng(seed)
    together = np.arange(n)
    by_group = [(rows[0], row) for rows in sets_of_equal(groups) for row in rows[1:]]
    for same in joined_sets(n, [*pairs, *by_group]):
        together[same] = same[0]
    label = np.asarray(labels, dtype=str)
    shares, agreements, n_images = [], [], len(np.unique(together))
    limit = LEAST + LEAST_SMALL / np.sqrt(max(n_images, 1))
    if n_images < FEWEST_SETS * FEWEST:
        return ImageClusters(0.0, float(limit))
    for _ in range(MOST_DRAWS if n_images < min(n, ENOUGH) else 1):
        order = rng.permutation(n)
        rows = np.sort(order[np.unique(together[order], return_index=True)[1]])
        sets = mutual_sets(np.asarray(embeddings)[rows], label[rows])
        agreements.append(agreement(sets, label[rows]))
        shares.append(sum(map(len, sets)) / n_images if len(sets) >= FEWEST_SETS else 0.0)
    return ImageClusters(float(np.mean(shares)), float(limit), float(np.mean(agreements)))


def agreement(sets: list[np.ndarray], labels: np.ndarray) -> float:
    """Return how far the images of a set have one label: 1 for always, also where there is one label only, 0 as by chance."""
    by_chance = float((np.unique(labels, return_counts=True)[1] ** 2).sum()) / len(labels) ** 2
    if not sets or by_chance == 1:
        return 1.0
    codes = [np.unique(labels[rows], return_counts=True)[1] for rows in sets]
    same = [(counts * (counts - 1)).sum() / (counts.sum() * (counts.sum() - 1)) for counts in codes]
    return (float(np.mean(same)) - by_chance) / (1 - by_chance)


def sets_of_equal(values: Sequence[str]) -> list[list[int]]:
    """Return the positions that share a value, "" excepted."""
    rows: dict[str, list[int]] = {}
    for row, value in enumerate(values):
        if value:
            rows.setdefault(value, []).append(row)
    return list(rows.values())


def mutual_sets(embeddings: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """Return disjoint sets of rows that are each other's nearest neighbours, those that are so most first.

    A set that holds most of a class is none: a class of few images is alike.
    """
    neighbours, missing, dimensions = closures(embeddings)
    if dimensions < FEWEST_DIMENSIONS:
        return []
    n_of_class = dict(zip(*np.unique(labels, return_counts=True), strict=True))
    rows, lengths = np.nonzero(missing[:, FEWEST - 1 :] <= MISSING)
    lengths += FEWEST - 1
    order = np.lexsort((rows, -lengths, np.round(missing[rows, lengths], 3)))
    is_free, sets = np.ones(len(embeddings), bool), []
    for row, length in zip(rows[order], lengths[order], strict=True):
        members = neighbours[row, : length + 1]
        if not is_free[members].all():
            continue
        classes, counts = np.unique(labels[members], return_counts=True)
        if all(count <= OF_CLASS * n_of_class[name] for name, count in zip(classes, counts, strict=True)):
            is_free[members] = False
            sets.append(members)
    return sets


def closures(embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """For each row, return itself and its nearest ones, how far these are not each other's nearest, and the dimension.

    Returns
    -------
    neighbours : int (n, most + 1), the row itself first
    missing : (n, most + 1), the share of pairs among a row and its k nearest of which one is not among the other's k nearest
    dimension : in how many ways rows differ nearby, as in `rows.row_clusters.neighbour_ratios`, the most of all numbers of
        neighbours: beyond a set the estimate is too low
    """
    from sklearn.neighbors import NearestNeighbors

    n = len(embeddings)
    most = min(MOST - 1, n - 2)
    distances, nearest = NearestNeighbors(n_neighbors=most + 1).fit(embeddings).kneighbors(embeddings)
    # Of equal rows another one may come before the row itself.
    neighbours = np.array(
        [[row, *[other for other in others if other != row][:most]] for row, others in enumerate(nearest.tolist())]
    )
    missing, ranks = np.ones((n, most + 1)), np.arange(most + 1)
    for start in range(0, n, AT_ONCE):
        own = neighbours[start : start + AT_ONCE]
        is_same = neighbours[own][..., None] == own[:, None, None, :]
        rank = np.where(is_same.any(axis=-1), is_same.argmax(axis=-1), most + 1)
        from_on = np.maximum(np.maximum(ranks[:, None], ranks[None, :]), rank)
        for k in ranks[1:]:
            inside = (from_on <= k).sum(axis=(1, 2)) - (k + 1)
            missing[start : start + AT_ONCE, k] = 1 - inside / (k * (k + 1))
    near, k = np.maximum(distances[:, 1:], 1e-9), np.arange(1, min(DIMENSIONS_BY, most - 1) + 1)
    ratio = np.minimum(np.median(near[:, : len(k)] / near[:, 1 : len(k) + 1], axis=0), 1 - 1e-9)
    return neighbours, missing, float(np.max(np.log(2) / (-np.log(ratio) * k)))
