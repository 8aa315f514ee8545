"""Compare whole frames by their low frequencies: what survives blur, noise, strong compression and deformation.

Two vectors are kept of a frame laid into a square: its low cosine coefficients; and its relief, in which each place weighs
alike, so that a box, an arrow or a ruler changes little of it. Dermoscopic photographs, or slices of a scan, are much alike in
both. So the vectors are whitened by the set's own second moment: what its images have in common counts little, and the cosine
of two different images stays far below that of an image and its degraded copy.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import cv2
import numpy as np
from PIL import Image

SIDE = 32  # px of the square
FREQUENCIES = 9  # per axis, of the cosine transform
RELIEF = 16  # per axis
FINE, BROAD = 0.8, 3.0  # px of SIDE, between which relief lies
CLIP = 0.8  # of the local standard deviation: places weigh alike
MEDIAN = 7  # px of DETAIL: thin lines are taken out
DETAIL = 144  # px, side of the square in which lines and boxes are looked for
# A box of one colour: share of the frame, grey levels within which it is flat, and of the step at its edge.
BOX_AREA, BOX_FLAT, BOX_STEP = 0.0015, 6, 15
RIDGE = {FREQUENCIES**2 - 1: 0.3, RELIEF**2: 0.1}  # of the mean eigenvalue, added to all
NOISE_SHARE = 0.5  # most of a vector's length that may count as noise
LEAST_CONTRAST = 1.0  # grey levels, standard deviation of the square: with less it is nearly empty


@dataclass(frozen=True)
class Frame:
    """What is kept of a frame: `frequencies` float32 (80,) of length 1, `relief` float32 (256,), `noise`: the variance that
    noise adds to each of the frequencies; `noise_sd`: of a pixel, and `contrast`, in grey levels.
    """

    frequencies: np.ndarray
    relief: np.ndarray
    noise: float
    noise_sd: float
    contrast: float


def frame_of(pixels: np.ndarray) -> Frame:
    """Return the frame of an RGB image, uint8 (h, w, 3)."""
    image = Image.fromarray(pixels).convert("L")
    small = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)).astype(np.float32)
    coefficients = cv2.dct(small)[:FREQUENCIES, :FREQUENCIES].ravel()[1:]
    length = max(float(np.linalg.norm(coefficients)), 1e-6)
    grey = np.asarray(image)
    noise_sd = noise_level(grey)
    noise = noise_sd**2 * SIDE**2 / grey.size / length**2
    square = np.asarray(image.resize((DETAIL, DETAIL), Image.Resampling.BILINEAR, reducing_gap=2.0))
    return Frame(coefficients / length, relief_of(square), noise, noise_sd, float(small.std()))


def noise_level(grey: np.ndarray) -> float:
    """Return the standard deviation of the noise in an image, uint8 (h, w): from the median of its finest diagonal detail.

    Donoho and Johnstone 1994, by Haar's wavelet.
    """
    height, width = (side // 2 * 2 for side in grey.shape)
    values = grey[:height, :width].astype(np.float32)
    diagonal = values[::2, ::2] - values[1::2, ::2] - values[::2, 1::2] + values[1::2, 1::2]
    return float(np.median(np.abs(diagonal))) / 2 / 0.6745


def relief_of(square: np.ndarray) -> np.ndarray:
    """Return the relief, float32 (256,) of length 1, of a grey image, uint8 (DETAIL, DETAIL)."""
    weight = (~boxes(square)).astype(np.float32)
    thin = cv2.medianBlur(square, MEDIAN).astype(np.float32) * weight
    values = np.asarray(cv2.resize(thin, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    weight = np.asarray(cv2.resize(weight, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float32)

    def blur(image: np.ndarray, sigma: float) -> np.ndarray:
        return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)

    fine, broad = (blur(values, sigma) / np.maximum(blur(weight, sigma), 0.01) for sigma in (FINE, BROAD))
    band = (fine - broad) * weight
    local = np.sqrt(blur(band * band, BROAD) / np.maximum(blur(weight, BROAD), 0.05))
    band = np.clip(band / (local + 0.5 * np.median(local) + 0.3), -CLIP, CLIP) * weight
    relief = cv2.resize(band, (RELIEF, RELIEF), interpolation=cv2.INTER_AREA).ravel()
    relief -= relief.mean()
    return relief / max(float(np.linalg.norm(relief)), 1e-6)


def boxes(grey: np.ndarray) -> np.ndarray:
    """Return bool (h, w): parts of one colour with a sharp edge all around, as cutouts leave them."""
    kernel = np.ones((3, 3), np.uint8)
    flat = ((cv2.dilate(grey, kernel) - cv2.erode(grey, kernel)) <= BOX_FLAT).astype(np.uint8)
    n, part, stats, _ = cv2.connectedComponentsWithStats(flat, connectivity=4)
    boxed, least = np.zeros(grey.shape, bool), max(15, 0.5 * grey.std())
    for number in range(1, n):
        if stats[number, cv2.CC_STAT_AREA] < BOX_AREA * grey.size:
            continue
        inside = (part == number).astype(np.uint8)
        level, spread = grey[inside > 0].mean(), grey[inside > 0].std()
        around = (cv2.dilate(inside, kernel, iterations=4) - cv2.dilate(inside, kernel, iterations=2)) > 0
        step = np.abs(grey[around] - level)
        if spread < 2 and len(step) and np.median(step) > least and (step > BOX_STEP / 2).mean() > 0.8:
            boxed |= cv2.dilate(inside, kernel, iterations=2) > 0
    return boxed


def flips() -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return by length of a vector: int and float32 (8, length), `order` and `signs`.

    The vector of an image in each of the eight flips and quarter turns is `vector[order[k]] * signs[k]`, where k is 4 if
    transposed, plus 2 if upside down, plus 1 if left and right are exchanged.
    """
    square = np.arange(FREQUENCIES**2).reshape(FREQUENCIES, FREQUENCIES)
    odd = np.where(np.arange(FREQUENCIES) % 2 == 1, -1, 1)
    order, signs = [], []
    for indices in (square, square.T):
        for down in (1, odd[:, None]):
            for across in (1, odd[None]):
                order.append(indices.ravel()[1:] - 1)
                signs.append((np.ones_like(square) * down * across).ravel()[1:])
    places = np.arange(RELIEF**2).reshape(RELIEF, RELIEF)
    moved = np.array([flip(places, number).ravel() for number in range(8)])
    return {
        FREQUENCIES**2 - 1: (np.array(order), np.array(signs, np.float32)),
        RELIEF**2: (moved, np.ones(moved.shape, np.float32)),
    }


def flip(image: np.ndarray, number: int) -> np.ndarray:
    """Return an image transposed if `number` has 4, then upside down if it has 2, left and right exchanged if it has 1."""
    image = image.T if number & 4 else image
    image = image[::-1] if number & 2 else image
    return image[:, ::-1] if number & 1 else image


FLIPS = flips()
ORDER, SIGNS = FLIPS[FREQUENCIES**2 - 1]


@lru_cache(maxsize=1)
def generated() -> tuple[np.ndarray, np.ndarray]:
    """Return frequencies and reliefs of generated noise, so that small sets have a second moment, too."""
    rng = np.random.default_rng(0)
    frames = [frame_of(noise(rng)) for _ in range(60)]
    return np.array([frame.frequencies for frame in frames]), np.array([frame.relief for frame in frames])


def noise(rng: np.random.Generator) -> np.ndarray:
    """Return an image of noise, uint8 (180, 240, 3), whose amplitude falls with the frequency as in photographs."""
    height, width = 180, 240
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None])
    frequency[0, 0] = 1
    drawn = np.fft.ifft2(np.fft.fft2(rng.normal(size=(height, width))) / frequency ** rng.uniform(0.6, 1.6)).real
    grey = np.clip(128 + 50 * (drawn - drawn.mean()) / drawn.std(), 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def whiten(vectors: np.ndarray, noise: np.ndarray | float = 0.0) -> np.ndarray:
    """Return vectors, float32 (n, length), whitened by their own second moment and that of `generated`, of length about 1.

    The moment is the same in all flips, so a flipped image's vector is the flipped vector. What `noise`, variances (n,), adds
    is taken out of the length, so that a noisy copy has a cosine of about 1 with its original.
    """
    length = vectors.shape[1]
    order, signs = FLIPS[length]
    known = np.concatenate([vectors, next(part for part in generated() if part.shape[1] == length)])
    gram = known.T @ known / len(known)
    moment = sum(gram[np.ix_(o, o)] * np.outer(s, s) for o, s in zip(order, signs, strict=True)) / len(order)
    values, axes = np.linalg.eigh(moment)
    values = np.maximum(values, 0)
    scale = 1 / np.sqrt(values + RIDGE[length] * values.mean())
    whitened = vectors @ ((axes * scale) @ axes.T)
    energy = np.maximum((whitened**2).sum(axis=1), 1e-12)
    energy = np.maximum(energy - noise * (scale**2).sum(), NOISE_SHARE * energy)
    return (whitened / np.sqrt(energy)[:, None]).astype(np.float32)


def bases(length: int) -> list[np.ndarray]:
    """Return four orthonormal bases, float32 (length, m), which together span all vectors.

    In the mirror, what lies in the first two stays as it is, in the others it changes its sign; upside down the first and third
    stay.
    """
    order, signs = FLIPS[length]
    whole = np.eye(length, dtype=np.float32)
    across, down = (whole[order[number]] * signs[number][:, None] for number in (1, 2))
    spanned = []
    for in_mirror, upside_down in product((1, -1), repeat=2):
        projection = (whole + in_mirror * across) @ (whole + upside_down * down)
        # A column is a place and what the flips make of it: one of these stands for all.
        columns = projection[:, (projection != 0).argmax(axis=0) == np.arange(length)]
        columns = columns[:, (columns != 0).any(axis=0)]
        spanned.append(columns / np.linalg.norm(columns, axis=0))
    return spanned


BASES = {length: bases(length) for length in FLIPS}
Parts = list[np.ndarray]


def parts_of(vectors: np.ndarray) -> Parts:
    """Return vectors, float32 (n, length), in each of `bases`: cosines over all flips take a quarter of the products."""
    return [vectors @ basis for basis in BASES[vectors.shape[1]]]


def both_ways(vectors: np.ndarray) -> tuple[Parts, Parts]:
    """Return the parts of vectors, float32 (n, length), as they are and transposed."""
    order, signs = FLIPS[vectors.shape[1]]
    return parts_of(vectors), parts_of(vectors[:, order[4]] * signs[4])


def cosines(rows: tuple[Parts, Parts], others: Parts) -> np.ndarray:
    """Return float32 (rows, others): the largest cosine of whitened vectors over flips and negatives."""
    as_is, transposed = ([a @ b.T for a, b in zip(parts, others, strict=True)] for parts in rows)
    return np.maximum(over_flips(*as_is), over_flips(*transposed))


def pair_cosines(rows: tuple[Parts, Parts], others: Parts, pairs: np.ndarray) -> np.ndarray:
    """Return float32 (m,): `cosines` of pairs alone, int (m, 2), each a position in `rows` and one in `others`."""
    row, other = pairs.T
    as_is, transposed = (
        [np.einsum("ij,ij->i", a[row], b[other]) for a, b in zip(parts, others, strict=True)] for parts in rows
    )
    return np.maximum(over_flips(*as_is), over_flips(*transposed))


def over_flips(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Return the largest of abs(a + b + c + d), abs(a - b + c - d), abs(a + b - c - d) and abs(a - b - c + d).

    These are the products of two vectors in the mirror, upside down, both, or neither, from those of their parts.
    """
    return np.maximum(np.abs(a + b) + np.abs(c + d), np.abs(a - b) + np.abs(c - d))
