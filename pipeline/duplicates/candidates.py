"""Which pictures are worth comparing: those that share rare words, and those whose low frequencies are alike.

A word says where a descriptor lies: it is laid on AXES axes, and the nearest of PARTS points is told for one half of them, and
of PARTS others for the other half (the inverted multi-index of Babenko and Lempitsky 2012): a million words for the price of
two thousand. The points are taken from drawn noise and the same for every set, so that a picture's words never change when
others come. A point and its mirror image have the same words. Both searches compare everything with everything, in blocks.
"""

import threading
from functools import lru_cache, partial
from typing import Any

import cv2
import numpy as np
from PIL import Image

from pipeline.core.parallel import run_parallel
from pipeline.duplicates.keypoints import find_points

AXES = 48  # of 128: those along which the descriptors of noise differ most
PARTS = 1024
NEAREST = 8  # words of a point: compression moves a point over the border between two words
NOISE = 60  # pictures from which axes and points are taken
MOST_BY_WORDS, MOST_BY_FREQUENCIES = 25, 5  # candidates of a picture
# Words in more pictures than this (number, share) say nothing: without them the search of 8,036 pictures takes half the time and
# finds 70 % of the photos of one lesion instead of 66.
COMMON = 200, 0.02
FREQUENCIES = 9  # per axis, of the cosine transform
CELLS = 4_000_000  # similarities held at once by a worker: 16 MB, whatever the number of pictures
_once = threading.Lock()


def vocabulary() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return of both halves: axes, float32 (128, AXES / 2), points, (PARTS, AXES / 2), half their squared lengths. Takes 1 s."""
    with _once:
        return draw_vocabulary()


@lru_cache(maxsize=1)
def draw_vocabulary() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return what `vocabulary` says; two threads at once would both draw it."""
    rng = np.random.default_rng(0)
    found = np.concatenate([find_points(noise(rng)).descriptors for _ in range(NOISE)]).astype(np.float32)
    axes = np.linalg.eigh(np.cov(found, rowvar=False))[1][:, -AXES:].astype(np.float32)
    found = found[rng.permutation(len(found))[:PARTS]]
    halves = [np.ascontiguousarray(axes[:, first::2]) for first in (0, 1)]
    return [(half, found @ half, ((found @ half) ** 2).sum(axis=1) / 2) for half in halves]


def noise(rng: np.random.Generator) -> np.ndarray:
    """Return a picture of noise, uint8 (180, 240, 3), whose amplitude falls with the frequency as in photographs."""
    height, width = 180, 240
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None])
    frequency[0, 0] = 1
    drawn = np.fft.ifft2(np.fft.fft2(rng.normal(size=(height, width))) / frequency ** rng.uniform(0.6, 1.6)).real
    grey = np.clip(128 + 50 * (drawn - drawn.mean()) / drawn.std(), 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def words_of(descriptors: np.ndarray) -> np.ndarray:
    """Return uint32, sorted: the NEAREST words of each of n descriptors, uint8 (n, 128)."""
    if not len(descriptors):
        return np.empty(0, np.uint32)
    found, rows = descriptors.astype(np.float32), np.arange(len(descriptors))
    near, close = [], []
    for axes, points, half in vocabulary():
        similar = (found @ axes) @ points.T - half
        columns = np.argpartition(-similar, 4, axis=1)[:, :4]
        near.append(columns)
        close.append(similar[rows[:, None], columns])
    words = (near[0][:, :, None] * PARTS + near[1][:, None, :]).reshape(len(rows), -1)
    together = (close[0][:, :, None] + close[1][:, None, :]).reshape(len(rows), -1)
    best = np.argpartition(-together, NEAREST, axis=1)[:, :NEAREST]
    return np.sort(words[rows[:, None], best].ravel()).astype(np.uint32)


def low_frequencies(pixels: np.ndarray) -> np.ndarray:
    """Return float32 (80,) of length 1: the low cosine coefficients, without the mean, of the frame as a square."""
    image = Image.fromarray(pixels).convert("L").resize((32, 32), Image.Resampling.BILINEAR, reducing_gap=2.0)
    found = cv2.dct(np.asarray(image).astype(np.float32))[:FREQUENCIES, :FREQUENCIES].ravel()[1:]
    return found / max(float(np.linalg.norm(found)), 1e-6)


def flips() -> tuple[np.ndarray, np.ndarray]:
    """Return int and float32 (8, 80): `low_frequencies` of a picture in each of the eight flips and quarter turns are
    `frequencies[order[k]] * signs[k]`, where k is 4 if turned (transposed), then 2 if upside down, 1 if left is right.
    """
    square = np.arange(FREQUENCIES**2).reshape(FREQUENCIES, FREQUENCIES)
    odd = np.where(np.arange(FREQUENCIES) % 2 == 1, -1, 1)
    order, signs = [], []
    for places in (square, square.T):
        for down in (1, odd[:, None]):
            for across in (1, odd[None]):
                order.append(places.ravel()[1:] - 1)
                signs.append((np.ones_like(square) * down * across).ravel()[1:])
    return np.array(order), np.array(signs, np.float32)


ORDER, SIGNS = flips()


def propose(words: list[np.ndarray], frequencies: np.ndarray, workers: int = 1, since: int = 0) -> np.ndarray:
    """Return int (m, 2), sorted: pairs a < b of which one is among the most similar of the other.

    `words`: of each of n pictures, as `words_of` returns them; `frequencies`: float32 (n, 80). Only for the pictures from
    position `since` on are others looked for.
    """
    n = len(words)
    if n < 2 or since >= n:
        return np.empty((0, 2), int)
    rarity = rarities(words)
    rows = max(1, CELLS // n)
    search = partial(
        nearest, words=words, rarity=rarity, turned=weigh(words, rarity).T.tocsr(), frequencies=frequencies, rows=rows
    )
    found = np.concatenate(list(run_parallel(search, range(since, n, rows), workers)))
    found.sort(axis=1)
    return np.unique(found, axis=0)


def rarities(words: list[np.ndarray]) -> np.ndarray:
    """Return of every word the logarithm of the share of pictures that have it, turned positive; 0 for a common one."""
    pictures = np.zeros(PARTS**2, np.int64)
    for one in words:
        pictures[np.unique(one)] += 1
    # n + 1: in a set of two, all that a picture shares with its copy is in every picture, and must not weigh nothing
    found = np.log((len(words) + 1) / np.maximum(pictures, 1)).astype(np.float32)
    found[pictures > max(COMMON[0], COMMON[1] * len(words))] = 0
    return found


def weigh(words: list[np.ndarray], rarity: np.ndarray) -> Any:
    """Return a sparse float32 (n, words) array, rows of length 1: the root of how often a word occurs, times its rarity."""
    from scipy import sparse

    ends = np.cumsum([0, *map(len, words)])
    ones = np.ones(ends[-1], np.float32)
    found = sparse.csr_array((ones, np.concatenate(words).astype(np.int32), ends), shape=(len(words), len(rarity)))
    found.sum_duplicates()
    found.data = np.sqrt(found.data) * rarity[found.indices]
    found.eliminate_zeros()
    lengths = np.sqrt(np.maximum((found * found).sum(axis=1), 1e-12))
    found.data /= np.repeat(lengths, np.diff(found.indptr)).astype(np.float32)
    return found


def nearest(
    start: int, words: list[np.ndarray], rarity: np.ndarray, turned: Any, frequencies: np.ndarray, rows: int
) -> np.ndarray:
    """Return int (m, 2): for the pictures of the `rows` from `start` on the candidates of both searches.

    `turned`: all pictures' `weigh`, transposed.
    """
    by_words = (weigh(words[start : start + rows], rarity) @ turned).toarray()
    by_frequencies = np.full(by_words.shape, -1, np.float32)
    for order, signs in zip(ORDER, SIGNS, strict=True):
        flipped = frequencies[start : start + rows, order] * signs
        np.maximum(by_frequencies, flipped @ frequencies.T, out=by_frequencies)
    return np.concatenate([best(by_words, start, MOST_BY_WORDS), best(by_frequencies, start, MOST_BY_FREQUENCIES)])


def best(similar: np.ndarray, start: int, most: int) -> np.ndarray:
    """Return int (m, 2): the `most` most similar pictures of each row, without itself and those that share nothing."""
    rows = np.arange(len(similar))
    similar[rows, rows + start] = -1
    most = min(most, similar.shape[1] - 1)
    found = np.argpartition(-similar, most - 1, axis=1)[:, :most]
    row = np.repeat(rows, most)
    column = found.ravel()
    sharing = similar[row, column] > 0
    return np.stack([row + start, column], axis=1)[sharing]
