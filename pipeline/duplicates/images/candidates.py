"""Propose pairs of images to compare: those that share rare words, and those whose whole frames are alike.

A word is a quantised descriptor: it is projected on AXES axes, and the nearest of PARTS points in each half of them is looked up
(the inverted multi-index of Babenko and Lempitsky 2012): a million words for the cost of two thousand. The points are computed
from generated noise and are the same for every data set, so that the words of an image never change when others are added. A
point and its mirror image have the same words. All searches compare all images with all others, in blocks: that takes 40 ns for a
pair, and a tenth of an audit of 100,000 images (benchmarks/scale.py).
"""

import threading
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from pipeline.core.parallel import run_parallel
from pipeline.duplicates.images.frames import Parts, both_ways, cosines, noise, pair_cosines, parts_of
from pipeline.duplicates.images.keypoints import find_points

if TYPE_CHECKING:
    from scipy.sparse import csr_array

AXES = 48  # of 128: those along which the descriptors of noise differ most
PARTS = 1024
NEAREST = 8  # words of a point: compression moves a point over the border between two words
NOISE = 60  # images from which axes and points are taken
MOST_BY_WORDS, MOST_BY_FRAMES = 25, 5  # candidates of an image
# Words in more images than this (number, share) say nothing: without them the search of 8,036 images takes half the time and
# finds 70 % of the photos of one lesion instead of 66.
COMMON = 200, 0.02
INVERTED = 2000  # images whose words are sorted into the index at once
ROWS, COLUMNS = 256, 1024  # images of which frames are compared at once: the products stay in the processor's cache
SET = 16  # images of which the most alike is sought first
_once = threading.Lock()


def vocabulary() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return for both halves: axes, float32 (128, AXES / 2), points, (PARTS, AXES / 2), half their squared lengths. Takes 1 s."""
    with _once:
        return draw_vocabulary()


@lru_cache(maxsize=1)
def draw_vocabulary() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return the vocabulary; without the lock two threads would both compute it."""
    rng = np.random.default_rng(0)
    drawn = np.concatenate([find_points(noise(rng)).descriptors for _ in range(NOISE)]).astype(np.float32)
    axes = np.linalg.eigh(np.cov(drawn, rowvar=False))[1][:, -AXES:].astype(np.float32)
    points = drawn[rng.permutation(len(drawn))[:PARTS]]
    halves = [np.ascontiguousarray(axes[:, first::2]) for first in (0, 1)]
    return [(half, points @ half, ((points @ half) ** 2).sum(axis=1) / 2) for half in halves]


def words_of(descriptors: np.ndarray) -> np.ndarray:
    """Return uint32, sorted: the NEAREST words of each of n descriptors, uint8 (n, 128)."""
    if not len(descriptors):
        return np.empty(0, np.uint32)
    values, rows = descriptors.astype(np.float32), np.arange(len(descriptors))
    near, close = [], []
    for axes, points, half in vocabulary():
        similar = (values @ axes) @ points.T - half
        columns = np.argpartition(-similar, 4, axis=1)[:, :4]
        near.append(columns)
        close.append(similar[rows[:, None], columns])
    words = (near[0][:, :, None] * PARTS + near[1][:, None, :]).reshape(len(rows), -1)
    together = (close[0][:, :, None] + close[1][:, None, :]).reshape(len(rows), -1)
    best = np.argpartition(-together, NEAREST, axis=1)[:, :NEAREST]
    return np.sort(words[rows[:, None], best].ravel()).astype(np.uint32)


@dataclass(frozen=True)
class Proposed:
    """Pairs to compare: `pairs` int (m, 2), sorted, a < b; `by_points` and `by_frame` bool (m,), whether to compare
    their points and their whole frames; `likeness`, `relief` float32 (m,), the cosines of their whitened low frequencies and
    reliefs.
    """

    pairs: np.ndarray
    by_points: np.ndarray
    by_frame: np.ndarray
    likeness: np.ndarray
    relief: np.ndarray


def propose(
    words: list[np.ndarray], frequencies: np.ndarray, reliefs: np.ndarray, workers: int = 1, since: int = 0
) -> Proposed:
    """Return the pairs of which one is among the most similar of the other.

    `words`: of each of n images, as `words_of` returns them; `frequencies`, `reliefs`: whitened, float32 (n, 80) and
    (n, 256). Only for images from position `since` on are others searched.
    """
    n = len(words)
    if n < 2 or since >= n:
        none, no_cosines = np.empty(0, bool), np.empty(0, np.float32)
        return Proposed(np.empty((0, 2), int), none, none, no_cosines, no_cosines)
    n_images = count_images(words)
    rarity = rarities(n_images, n)
    frames = [(vectors, parts_of(vectors)) for vectors in (frequencies, reliefs)]
    search = partial(nearest, words=words, rarity=rarity, index=invert(words, rarity, n_images), frames=frames)
    parts = list(run_parallel(search, range(since, n, ROWS), workers))
    pairs, search_number, likeness, relief = (np.concatenate(column) for column in zip(*parts, strict=True))
    codes = pairs.min(axis=1) * n + pairs.max(axis=1)
    unique, first, which = np.unique(codes, return_index=True, return_inverse=True)
    # Relief finds covered copies, whose points would cost most of the time and rarely agree.
    by_points, by_frame = (np.bincount(which, kind) > 0 for kind in (search_number < 2, search_number > 0))
    return Proposed(np.stack(np.divmod(unique, n), axis=1), by_points, by_frame, likeness[first], relief[first])


def count_images(words: list[np.ndarray]) -> np.ndarray:
    """Return int64 (PARTS ** 2,), the number of images with every word."""
    n_images = np.zeros(PARTS**2, np.int64)
    for of_image in words:
        n_images[np.unique(of_image)] += 1
    return n_images


def rarities(n_images: np.ndarray, n: int) -> np.ndarray:
    """Return the inverse document frequency of every word: minus the log of the share of n images with it; 0 for common words."""
    # n + 1: in a set of two, all words that an image shares with its copy are in every image, and must not weigh nothing
    rarity = np.log((n + 1) / np.maximum(n_images, 1)).astype(np.float32)
    rarity[n_images > max(COMMON[0], COMMON[1] * n)] = 0
    return rarity


def weigh(words: list[np.ndarray], rarity: np.ndarray) -> "csr_array":
    """Return a sparse float32 (n, words) array with rows of length 1: the square root of each count, times the word's rarity."""
    from scipy import sparse

    ends = np.cumsum([0, *map(len, words)], dtype=np.int32)
    ones = np.ones(ends[-1], np.float32)
    indices = np.concatenate(words, dtype=np.int32, casting="unsafe")
    weights = sparse.csr_array((ones, indices, ends), shape=(len(words), len(rarity)))
    weights.sum_duplicates()
    weights.data = np.sqrt(weights.data) * rarity[weights.indices]
    weights.eliminate_zeros()
    lengths = np.sqrt(np.maximum((weights * weights).sum(axis=1), 1e-12))
    weights.data /= np.repeat(lengths, np.diff(weights.indptr)).astype(np.float32)
    return weights


def invert(words: list[np.ndarray], rarity: np.ndarray, n_images: np.ndarray) -> "csr_array":
    """Return `weigh(words, rarity)` transposed. It is filled block by block: at once, it would take three times the memory."""
    from scipy import sparse

    ends = np.cumsum(np.append(0, np.where(rarity == 0, 0, n_images)))
    images, weights, next_of_word = np.empty(ends[-1], np.int32), np.empty(ends[-1], np.float32), ends[:-1].copy()
    for start in range(0, len(words), INVERTED):
        block = weigh(words[start : start + INVERTED], rarity).T.tocsr()
        n_of_word = np.diff(block.indptr)
        where = np.arange(block.nnz) + np.repeat(next_of_word - block.indptr[:-1], n_of_word)
        images[where], weights[where] = block.indices + np.int32(start), block.data
        next_of_word += n_of_word
    # With ends of 64 bits scipy keeps images of 64 bits, too; only beyond 1.8 million images it has to.
    narrow = ends.astype(np.int32) if ends[-1] <= np.iinfo(np.int32).max else ends
    return sparse.csr_array((weights, images, narrow), shape=(len(rarity), len(words)))


def nearest(
    start: int,
    words: list[np.ndarray],
    rarity: np.ndarray,
    index: "csr_array",
    frames: list[tuple[np.ndarray, Parts]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the candidates of ROWS images from `start` on, int (m, 2), the number of the search and both cosines, (m,).

    `index`: as `invert` returns it; `frames`: whitened frequencies and reliefs of all images, each with its parts.
    """
    some = slice(start, start + ROWS)
    rows = [both_ways(vectors[some]) for vectors, _ in frames]
    searches = [
        by_words(weigh(words[some], rarity), index, start),
        *(by_frames(own, parts, start) for own, (_, parts) in zip(rows, frames, strict=True)),
    ]
    pairs = np.concatenate(searches)
    likeness, relief = (
        pair_cosines(own, parts, pairs - [start, 0]) for own, (_, parts) in zip(rows, frames, strict=True)
    )
    return pairs, np.repeat(range(3), [len(part) for part in searches]), likeness, relief


def by_words(weights: "csr_array", index: "csr_array", start: int) -> np.ndarray:
    """Return int (m, 2): for each image from `start` on, whose words have `weights`, those that share most with it.

    One row after the other: the product of the whole block takes four times as long.
    """
    pairs = []
    for row, (first, end) in enumerate(pairwise(weights.indptr)):
        similar = index[weights.indices[first:end]].T @ weights.data[first:end]
        similar[start + row] = -1
        columns = best(similar[None], MOST_BY_WORDS)[0]
        columns = columns[similar[columns] > 0]
        pairs.append(np.column_stack([np.full(len(columns), start + row), columns]))
    return np.concatenate(pairs)


def by_frames(rows: tuple[Parts, Parts], others: Parts, start: int) -> np.ndarray:
    """Return int (m, 2): for each image from `start` on, of which `rows` are the parts, those whose frames are most alike."""
    own = np.arange(start, start + len(rows[0][0]))
    columns, values = [], []
    for first in range(0, len(others[0]), COLUMNS):
        similar = cosines(rows, [part[first : first + COLUMNS] for part in others])
        inside = np.flatnonzero((own >= first) & (own < first + similar.shape[1]))
        similar[inside, own[inside] - first] = -1
        chosen = best(similar, MOST_BY_FRAMES)
        columns.append(chosen + first)
        values.append(np.take_along_axis(similar, chosen, axis=1))
    column, value = np.hstack(columns), np.hstack(values)
    chosen = best(value, MOST_BY_FRAMES)
    sharing = np.take_along_axis(value, chosen, axis=1) > 0
    return np.column_stack([np.repeat(own, sharing.sum(axis=1)), np.take_along_axis(column, chosen, axis=1)[sharing]])


def best(similar: np.ndarray, most: int) -> np.ndarray:
    """Return int (m, most): the columns of the largest of each row, (m, n), or all columns where these are fewer.

    They lie in those sets of SET columns whose own largest are the largest, so that only few have to be sorted.
    """
    m, n = similar.shape
    if most >= n:
        return np.broadcast_to(np.arange(n), (m, n))
    n_sets = n // SET
    if n_sets <= 2 * most:
        return np.argpartition(-similar, most - 1, axis=1)[:, :most]
    sets = best(similar[:, : n_sets * SET].reshape(m, SET, n_sets).max(axis=1), most)
    of_sets = (sets[:, :, None] + n_sets * np.arange(SET)).reshape(m, -1)
    columns = np.hstack([of_sets, np.broadcast_to(np.arange(n_sets * SET, n), (m, n - n_sets * SET))])
    return np.take_along_axis(columns, best(np.take_along_axis(similar, columns, axis=1), most), axis=1)
