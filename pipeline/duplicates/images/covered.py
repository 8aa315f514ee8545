"""Recognise a copy of which parts were covered or repainted: boxes, text, arrows, rulers, ink, removed hair.

One frame is laid on the other in the likeliest of the eight flips and quarter turns, and their detail is correlated block by
block. Between two photographs even a few blocks seldom agree; between an image and its covered copy all do that are left.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from pipeline.duplicates.images.frames import flip

SIDE, BLOCK = 144, 16  # px, of the square that both frames become, and of a block
FINE, BROAD = 1.0, 4.0  # px, sigmas between which detail lies
LEAST_DETAIL = 0.5  # grey levels RMS in a block of either image: with less it tells nothing
STROKE, MEDIAN = 15, 9  # grey levels from the median around a pixel, and its px: a line of text, an arrow or a hair
EDGE = 9  # px by which a frame is widened: its edge, once blurred, is detail as well
LEAST_SHOWN = 0.55  # of the blocks, of which shares are taken where fewer have content
LEAST_LEFT = 0.15  # of a block outside of strokes
# Correlation in a block, and the share of the 81 blocks. Two photographs of HAM10000 with the same round vignette share up to
# .26 and .30, a photograph and its copy with 15 % cut out at least .34.
AGREE = ((0.9, 0.3), (0.8, 0.42))
INNER = 0.25  # of the blocks that do not touch the rim must agree, too: what vignettes share lies in the outer ones
COPY = 0.97, 0.3  # the same from which on it is certainly a copy; neighbouring slices of a scan stay below
OTHER = 0.04  # share of blocks that correlate with less than .5: something was drawn there
COARSE = 18  # px: side at which the flip is chosen


class Detail(NamedTuple):
    """The detail of a grey image, its weight (0 in strokes), and where its content lies, all float32 (SIDE, SIDE)."""

    values: np.ndarray
    weight: np.ndarray
    shown: np.ndarray


def detail_of(grey: np.ndarray, content: np.ndarray) -> Detail:
    """Return the detail of a grey image, uint8 (h, w); `content`, uint8 (h, w), is 0 in a frame of one colour.

    A frame and its edge have no weight: many images of a set may have the same.
    """
    square = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    strokes = (cv2.absdiff(square, cv2.medianBlur(square, MEDIAN)) > STROKE).astype(np.uint8)
    framed = cv2.resize(1 - content, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
    shown = 1 - cv2.dilate(framed, np.ones((EDGE, EDGE), np.uint8)).astype(np.float32)
    weight = shown * (1 - cv2.dilate(strokes, np.ones((5, 5), np.uint8)).astype(np.float32))
    values = square.astype(np.float32) * weight
    fine, broad = (
        cv2.GaussianBlur(values, (0, 0), sigma) / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3)
        for sigma in (FINE, BROAD)
    )
    return Detail((fine - broad) * weight, weight, shown)


def coarse(detail: np.ndarray) -> np.ndarray:
    """Return float32 (COARSE, COARSE): where detail is brighter or darker than around it, each place weighing alike."""
    limit = 0.8 * np.sqrt(np.mean(detail**2)) + 1e-6
    return cv2.resize(np.clip(detail, -limit, limit), (COARSE, COARSE), interpolation=cv2.INTER_AREA)


def block_sums(values: np.ndarray) -> np.ndarray:
    """Return float (blocks,): the sum in each block."""
    n = SIDE // BLOCK
    return values.reshape(n, BLOCK, n, BLOCK).sum(axis=(1, 3)).ravel()


@dataclass(frozen=True)
class Blocks:
    """The correlation of each block, -1 where it tells nothing; the flip of image a; and whether b is the negative of it.

    `shown`: bool, blocks in which either image has content.
    """

    correlations: np.ndarray
    flip: int
    negative: bool
    shown: np.ndarray

    def share(self, least: float, inner: bool = False) -> float:
        """Return the share of the blocks with content, or of those inside, that correlate at least so much."""
        n, cut = SIDE // BLOCK, slice(1, -1) if inner else slice(None)
        blocks, shown = (part.reshape(n, n)[cut, cut] for part in (self.correlations, self.shown))
        return float((blocks >= least).sum() / max(shown.sum(), LEAST_SHOWN * blocks.size))

    @property
    def agree(self) -> bool:
        """Whether so many blocks agree that the images show one thing."""
        return any(self.share(least) >= share and self.share(least, inner=True) >= INNER for least, share in AGREE)

    @property
    def covered(self) -> bool:
        """Whether some blocks show something else."""
        return self.share(-1 + 1e-6) - self.share(0.5) >= OTHER

    @property
    def copy(self) -> bool:
        """Whether they are certainly one image."""
        return self.agree and self.share(COPY[0]) >= COPY[1]


def compare_blocks(a: Detail, b: Detail) -> Blocks:
    """Return how well the blocks of two images agree."""
    small_a, small_b = coarse(a.values), coarse(b.values)
    products = [float((flip(small_a, number) * small_b).sum()) for number in range(8)]
    number = int(np.abs(products).argmax())
    negative = products[number] < 0
    detail, weight, in_a = (flip(part, number) for part in a)
    used = weight * b.weight
    p, q = detail * used, b.values * used
    left = block_sums(used)
    pp, qq, pq = block_sums(p * p), block_sums(q * q), block_sums(p * q)
    telling = (left >= LEAST_LEFT * BLOCK**2) & (np.minimum(pp, qq) >= LEAST_DETAIL**2 * left)
    correlations = (-pq if negative else pq) / np.sqrt(pp * qq + 1e-6)
    shown = block_sums(np.maximum(in_a, b.shown)) >= LEAST_LEFT * BLOCK**2
    return Blocks(np.where(telling, correlations, -1), number, negative, shown)
