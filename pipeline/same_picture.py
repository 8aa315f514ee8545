"""Finding the same picture under other bytes: re-encoded, resized or squeezed copies of the whole frame.

Propose by the cosine of low frequencies, confirm by fitting one picture on the other at 64x64 px and looking at what is
left. Crops, turns and mirror images are not looked for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from tqdm import tqdm

from pipeline.parallel import run_parallel

SMALL = 64  # px: the frame stretched to a square; 4 kB a picture, 400 MB for 100,000
FREQUENCIES = 9  # per axis, of the cosine transform that proposes
PROPOSE = 0.99  # cosine: copies have .995 and more, two photos of one thing .97 to .999
MOST = 20  # proposals per picture, the likeliest ones: 5,000 look-alikes take 10 CPU seconds, not 50
BLOCK = 128  # pictures compared with all later ones at once: 50 MB per worker for 100,000
FINE, COARSE = 0.75, 2.5  # px, sigma: detail is what lies between; at finer scales compression eats it

# What a copy may differ by. Of 10,500 copies planted in five sets (JPEG quality 40, half size, squeezed by 1.4, and all
# three together) six break a rule: five of two pale skin pictures with hardly any detail, one CT slice at half size.
# Photos of one skin lesion taken apart and neighbouring CT slices break one too, some of the first only just.
# JPEG under quality 25 is where it ends.
MIN_WHOLE = 0.85  # correlation of the detail
MIN_LOCAL = 0.6  # the same, the 30 % quantile over 100 blocks
MAX_REST = (
    2.0  # grey levels: 90 % of the pixels differ by less; other photos of one lesion from 2.0, most by 5 and more
)
MAX_REST_SHARE = (
    0.15  # or as a share of the detail, if that is more: resampling filters differ at the sharp edges of CT
)
MAX_SHIFT = 0.1  # px; slices of one CT scan that were cropped one by one are shifted by .2 to 1
MAX_GAIN = 1.25  # of contrast; copies 1.03
MARK = 6  # grey levels: no re-encoded copy differs more in any pixel; a line drawn on a CT slice by 7 to 77
MIN_DETAIL = 0.5  # grey levels RMS: below it a picture is nearly empty, and matches by chance


@dataclass(frozen=True)
class Pair:
    """Two positions `a` < `b` that hold the same picture, how one was made from the other, and a score in 0..1."""

    a: int
    b: int
    kind: str
    score: float


def find_pairs(ids: list[str], small: np.ndarray, sizes: np.ndarray, workers: int = 1) -> list[Pair]:
    """Return the pairs that join all copies of each picture, sorted; not every pair of a set is listed.

    `ids`: equal for equal pixels; `small`: uint8 grey (n, SMALL, SMALL); `sizes`: (n, 2) width and height in px. Equal
    ids are `exact` and joined to their first member, which alone is compared with the others.
    """
    first: dict[str, int] = {}
    pairs = [Pair(first[key], i, "exact", 1.0) for i, key in enumerate(ids) if first.setdefault(key, i) != i]
    alone = np.fromiter(first.values(), int, len(first))
    unit = low_frequencies(small[i] for i in alone)

    def compare(start: int) -> list[Pair]:
        proposed = alone[propose(unit, start)]
        parts = [proposed[low : low + BLOCK] for low in range(0, len(proposed), BLOCK)]
        return [pair for part in parts for pair in confirm(part, small, sizes)]

    blocks = range(0, len(alone), BLOCK)
    found = run_parallel(compare, blocks, workers)
    for some in tqdm(found, "comparing pictures", total=len(blocks), unit=f" x {BLOCK}", mininterval=1, delay=3):
        pairs += some
    return sorted(pairs, key=lambda pair: (pair.a, pair.b))


def low_frequencies(pictures: Iterable[np.ndarray]) -> np.ndarray:
    """Return float32 (n, 80) of length 1: the low cosine coefficients of n (SMALL, SMALL) pictures without the mean."""
    k, x = np.mgrid[0:FREQUENCIES, 0:SMALL]
    basis = np.cos(np.pi * k * (2 * x + 1) / (2 * SMALL)).astype(np.float32)
    basis[0] /= np.sqrt(2)
    rows = [basis @ picture.astype(np.float32) @ basis.T for picture in pictures]
    found = np.array(rows, np.float32).reshape(-1, FREQUENCIES**2)[:, 1:]
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6)


def propose(unit: np.ndarray, start: int) -> np.ndarray:
    """Return int (m, 2): the pairs a < b, a among the BLOCK from `start`, whose rows have a cosine of PROPOSE or more.

    Of one picture at most MOST pairs with later ones are proposed, the most similar.
    """
    cosine = unit[start : start + BLOCK] @ unit[start:].T
    cosine[np.tril_indices(len(cosine))] = -1
    for crowded in np.flatnonzero((cosine >= PROPOSE).sum(axis=1) > MOST):
        cosine[crowded, np.argpartition(cosine[crowded], -MOST)[:-MOST]] = -1
    return np.argwhere(cosine >= PROPOSE) + start


def confirm(proposed: np.ndarray, small: np.ndarray, sizes: np.ndarray) -> list[Pair]:
    """Return those of the `proposed` (m, 2) positions that show the same picture."""
    first, second = proposed.T
    a, b = fine(small[first]), fine(small[second])
    fitted, b, gain, shift = fit(a, b)
    difference = np.abs(fitted - b).reshape(len(b), -1)
    rest = np.quantile(difference, 0.9, axis=1)
    whole, local, strength = correlate(detail(fitted), detail(b))
    # Half a pixel of the smaller copy: as far as a filter that samples off centre moves the picture.
    play = MAX_SHIFT + SMALL / 2 * np.abs(1 / sizes[first] - 1 / sizes[second])
    same = (whole >= MIN_WHOLE) & (local >= MIN_LOCAL) & (strength >= MIN_DETAIL)
    same &= (rest <= np.maximum(MAX_REST, MAX_REST_SHARE * strength)) & (np.abs(shift) <= play).all(axis=1)
    same &= (gain <= MAX_GAIN) & (gain >= 1 / MAX_GAIN)
    worst = difference.max(axis=1)
    return [
        Pair(int(i), int(j), kind(sizes[i], sizes[j], worst[k]), round(float(whole[k]), 3))
        for k, (i, j) in enumerate(proposed)
        if same[k]
    ]


def blur(size: int, sigma: float) -> np.ndarray:
    """Return the float32 (size, size) matrix B for which B @ picture @ B.T is a Gaussian blur, mirrored at edges."""
    reach = int(4 * sigma + 0.5)
    weight = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    edges = np.pad(np.eye(size), ((reach, reach), (0, 0)), mode="symmetric")
    return sum(w * edges[i : i + size] for i, w in enumerate(weight / weight.sum())).astype(np.float32)


def fine(small: np.ndarray) -> np.ndarray:
    """Return float32: `small` without what compression changes."""
    kernel = blur(SMALL, FINE)
    return kernel @ small.astype(np.float32) @ kernel.T


def fit(a: np.ndarray, b: np.ndarray, margin: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Fit `a` on `b` by least squares over brightness, contrast and a shift below a pixel.

    Returns the fitted `a` and `b` without `margin`, the contrast factors (n,), and the shifts (n, 2) in px, x and y.
    """
    slope_y, slope_x = np.gradient(a, axis=(1, 2))
    cut = (slice(None), slice(margin, -margin), slice(margin, -margin))
    terms = [term[cut].reshape(len(a), -1) for term in (a, slope_x, slope_y, np.ones_like(a))]
    matrix = np.stack(terms, axis=2).astype(np.float64)
    wanted = b[cut].reshape(len(b), -1, 1).astype(np.float64)
    turned = matrix.transpose(0, 2, 1)
    weights = np.linalg.solve(turned @ matrix + 1e-3 * np.eye(4), turned @ wanted)
    fitted = (matrix @ weights).reshape(b[cut].shape).astype(np.float32)
    gain = weights[:, 0, 0]
    # The weight of a slope is contrast times shift.
    return fitted, b[cut], gain, weights[:, 1:3, 0] / np.where(np.abs(gain) < 0.1, 0.1, gain)[:, None]


def detail(picture: np.ndarray) -> np.ndarray:
    """Return `picture` less its coarse blur, clipped at 2.5 standard deviations lest a border outweigh the rest."""
    kernel = blur(picture.shape[1], COARSE)
    found = picture - kernel @ picture @ kernel.T
    most = 2.5 * found.std(axis=(1, 2), keepdims=True)
    return np.clip(found, -most, most)


def correlate(a: np.ndarray, b: np.ndarray, blocks: int = 10) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, each (n,): the correlation over the frame, its 30 % quantile over blocks, and the RMS of the weaker."""
    side = a.shape[1] // blocks

    def sums(product: np.ndarray) -> np.ndarray:
        return product.reshape(-1, blocks, side, blocks, side).sum(axis=(2, 4)).reshape(len(a), -1)

    aa, bb, ab = sums(a * a), sums(b * b), sums(a * b)
    whole = ab.sum(axis=1) / np.sqrt(aa.sum(axis=1) * bb.sum(axis=1) + 1e-6)
    # Blocks without detail (the black around a CT slice) have no say: their correlation is chance.
    telling = aa + bb >= 0.1 * (aa + bb).mean(axis=1, keepdims=True)
    local = np.nanquantile(np.where(telling, ab / np.sqrt(aa * bb + 1e-6), np.nan), 0.3, axis=1)
    return whole, local, np.sqrt(np.minimum(aa.sum(axis=1), bb.sum(axis=1)) / a[0].size)


def kind(size_a: np.ndarray, size_b: np.ndarray, worst: float) -> str:
    """Return what happened between two sizes (width, height): `re-encoded`, `altered`, `resized` or `squeezed`.

    `worst`: the largest difference in grey levels; `altered` means that something is drawn on one of them.
    """
    if (size_a == size_b).all():
        return "altered" if worst > MARK else "re-encoded"
    aspect = (size_a[0] / size_a[1]) / (size_b[0] / size_b[1])
    rounding = 1 / min(*size_a, *size_b)  # of a side to whole px
    return "resized" if abs(np.log(aspect)) <= rounding + 0.005 else "squeezed"


def group(n: int, links: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Return the sets into which `links` join the positions 0..n-1, lone ones too: sorted, in order of the first."""
    parent = list(range(n))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for a, b in links:
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    sets: dict[int, list[int]] = {}
    for i in range(n):
        sets.setdefault(root(i), []).append(i)
    return list(sets.values())


def links_of(values: Iterable[str]) -> list[tuple[int, int]]:
    """Return the links that join positions of equal, non-empty values."""
    places: dict[str, list[int]] = {}
    for i, value in enumerate(values):
        if value:
            places.setdefault(value, []).append(i)
    return [link for found in places.values() for link in pairwise(found)]
