"""Which pictures are worth comparing: those that share rare words, and those whose low frequencies are alike.

A word is the nearest of 8,192 descriptors of drawn noise. They are the same for every set, so a picture's words never change
when others come; words learnt on the set found no more (99.1 % of altered copies, like these). Words of a point and of its
mirror image are the same. Both searches compare everything with everything, a block at a time.
"""

import threading
from functools import lru_cache, partial
from typing import Any

import cv2
import numpy as np
from PIL import Image

from pipeline.keypoints import MIRROR, find_points
from pipeline.parallel import run_parallel

WORDS = 8192
NEAREST = 3  # words of a point: compression moves a point over the border between two words
AXES = 48  # of 128: those along which the descriptors of noise differ most
NOISE = 60  # pictures from which the words are taken
MOST_BY_WORDS, MOST_BY_FREQUENCIES = 10, 5  # candidates of a picture
FREQUENCIES = 9  # per axis, of the cosine transform
CELLS = 4_000_000  # similarities held at once by a worker: 16 MB, whatever the number of pictures
SIDES = np.random.default_rng(5).normal(size=128).astype(np.float32)
SIDES -= SIDES[MIRROR]  # changes its sign in the mirror: tells on which side of it a descriptor lies

_once = threading.Lock()


def vocabulary() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the words, float32 (WORDS, AXES), half their squared lengths, and the axes (128, AXES) they are laid on.

    They are descriptors of drawn noise, drawn once, in 1 s.
    """
    with _once:
        return draw_vocabulary()


@lru_cache(maxsize=1)
def draw_vocabulary() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what `vocabulary` says; two threads at once would both draw it."""
    rng = np.random.default_rng(0)
    found = one_side(np.concatenate([find_points(noise(rng)).descriptors for _ in range(NOISE)]))
    _, axes = np.linalg.eigh(np.cov(found, rowvar=False))
    axes = axes[:, -AXES:].astype(np.float32)
    words = found[rng.permutation(len(found))[:WORDS]] @ axes
    return words, (words * words).sum(axis=1) / 2, axes


def noise(rng: np.random.Generator) -> np.ndarray:
    """Return a picture of noise, uint8 (180, 240, 3), whose amplitude falls with the frequency as in photographs."""
    height, width = 180, 240
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None])
    frequency[0, 0] = 1
    drawn = np.fft.ifft2(np.fft.fft2(rng.normal(size=(height, width))) / frequency ** rng.uniform(0.6, 1.6)).real
    grey = np.clip(128 + 50 * (drawn - drawn.mean()) / drawn.std(), 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def one_side(descriptors: np.ndarray) -> np.ndarray:
    """Return float32 descriptors, each one or its mirror image: the one that lies on the positive side of SIDES."""
    found = descriptors.astype(np.float32)
    return np.where((found @ SIDES > 0)[:, None], found, found[:, MIRROR])


def words_of(descriptors: np.ndarray) -> np.ndarray:
    """Return uint16 (3 n,): the NEAREST words of each of n descriptors, the same for a mirrored picture."""
    if not len(descriptors):
        return np.empty(0, np.uint16)
    words, half, axes = vocabulary()
    similar = (one_side(descriptors) @ axes) @ words.T - half
    rows, near = np.arange(len(descriptors)), []
    for _ in range(NEAREST):
        near.append(similar.argmax(axis=1))
        similar[rows, near[-1]] = -np.inf
    return np.sort(np.concatenate(near)).astype(np.uint16)


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


def propose(words: list[np.ndarray], frequencies: np.ndarray, workers: int = 1) -> np.ndarray:
    """Return int (m, 2), sorted: pairs a < b of which one is among the most similar of the other.

    `words`: of each of n pictures, as `words_of` returns them; `frequencies`: float32 (n, 80).
    """
    n = len(words)
    if n < 2:
        return np.empty((0, 2), int)
    rows = max(1, CELLS // n)
    search = partial(nearest, weights=weigh(words), frequencies=frequencies, rows=rows)
    found = np.concatenate(list(run_parallel(search, range(0, n, rows), workers)))
    found.sort(axis=1)
    return np.unique(found, axis=0)


def weigh(words: list[np.ndarray]) -> Any:
    """Return a sparse float32 (n, WORDS) array, rows of length 1: the root of how often a word occurs, times how rare it is."""
    from scipy import sparse

    row = np.repeat(np.arange(len(words)), [len(one) for one in words])
    column = np.concatenate(words).astype(np.int32)
    counts = sparse.coo_array((np.ones(len(row), np.float32), (row, column)), shape=(len(words), WORDS)).tocsr()
    pictures = np.bincount(counts.indices, minlength=WORDS)
    counts.data = np.sqrt(counts.data) * np.log(len(words) / pictures[counts.indices]).astype(np.float32)
    lengths = np.sqrt(np.maximum((counts * counts).sum(axis=1), 1e-12))
    counts.data /= np.repeat(lengths, np.diff(counts.indptr)).astype(np.float32)
    return counts


def nearest(start: int, weights: Any, frequencies: np.ndarray, rows: int) -> np.ndarray:
    """Return int (m, 2): for the pictures of the `rows` from `start` on the candidates of both searches."""
    by_words = (weights[start : start + rows] @ weights.T).toarray()
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
