"""Describe how a copy was edited, from the alignment of the two images and from their colours."""

import cv2
import numpy as np

from pipeline.duplicates.images.alignment import determinant, frame_map
from pipeline.duplicates.images.covered import Blocks
from pipeline.duplicates.images.verify import Agreement, Signature, details, weighted

ROTATION = 1.5  # degrees, from which on an image counts as rotated
STRETCH, SCALE = 0.03, 0.02  # change of the aspect ratio, and of the size
CROP = 0.93  # share of one image that must lie in the other, unless it was cropped
GAIN, TINT = 0.06, 0.04  # of the brightness, and of one colour against the others
# Where two images differ by more grey levels than MARK after a blur, in more than MARK_AREA of what both show, one was
# drawn on.
MARK, MARK_AREA, MARK_BLUR = 30, 0.004, 1.5
CONTRAST = 0.15  # change of the spread of the grey levels, less that of the brightness; both natural logarithms
# Of copies that seem to differ in their bytes alone: grey levels, and share of what both show, by which lines differ, as removed
# hair does, and px at the working size by which blocks are displaced. JPEG of quality 60 and more changes no line and displaces
# by .2 at most, elastic deformation of 2 px in 600 by .3 and more.
LINE, LINE_AREA = 20, 0.00015
DISPLACED, DISPLACED_BLOCKS = 0.28, 8
REENCODED = 0.985  # correlation of coarse detail below which more than the bytes of the file changed, for instance blur
# Of such copies: correlation of detail of .5 to 1.5 px at the working size. JPEG of quality 60 and more leaves .88 and more of
# photographs of 600 px, a blur of 2 px .74 at most, shrinking to 64 px mostly less than .8.
FINEST_SCALE, FINEST = (0.5, 1.5), 0.8
FRAMED = 0.05  # difference of the shares of the whole that a frame of one colour takes
NOISE = 8.0  # grey levels by which the noise of two images differs


def describe(a: Signature, b: Signature, agreement: Agreement) -> str:
    """Return the changes between two images, for instance `mirrored, rotated by 90 degrees, resized`.

    The direction is unknown: a darkened copy and a brightened one read alike. If only the bytes of the file changed, the
    description is `re-encoded`, or `framed` where a border of one colour was put around one of them.
    """
    words = moved(a, b, agreement.matrix)
    words += ["cropped"] if is_cropped(a, b, agreement) else []
    words += recoloured(a, b, agreement.matrix, agreement.gain)
    changed = retouched(a, b, agreement.matrix)
    if agreement.marked or not changed:  # what differs after a change of contrast was not drawn
        words += ["marked"] if agreement.marked or drawn_on(a, b, agreement.matrix) else []
    if words + changed:
        return ", ".join(words + changed)
    encoded = agreement.coarse_whole >= REENCODED and not is_altered(a, b, agreement.matrix)
    is_framed = abs(float(a.points.content.mean()) - float(b.points.content.mean())) > FRAMED
    return "degraded" if not encoded else "framed" if is_framed else "re-encoded"


def is_altered(a: Signature, b: Signature, matrix: np.ndarray) -> bool:
    """Return whether of one of two aligned images parts were moved, thin lines taken out, or the finest detail was lost."""
    laid, grey, shown = overlaid(a, b, matrix)
    difference = levelled(laid, grey, shown)
    if difference is None:
        return False
    lines = (np.abs(difference) > LINE)[shown].mean() > LINE_AREA
    return bool(lines) or displacement(laid, grey, shown) > DISPLACED or finest(laid, grey, shown) < FINEST


def finest(laid: np.ndarray, grey: np.ndarray, shown: np.ndarray) -> float:
    """Return the correlation of the finest detail of two aligned images."""
    detail_a, detail_b = details(weighted(laid, grey, shown.astype(np.uint8)), FINEST_SCALE)
    energies = (detail_a * detail_a).sum() * (detail_b * detail_b).sum()
    return float((detail_a * detail_b).sum() / np.sqrt(energies + 1e-6))


def displacement(laid: np.ndarray, grey: np.ndarray, shown: np.ndarray) -> float:
    """Return the displacement of blocks of one aligned image in the other, root mean square in px (Lucas and Kanade 1981)."""
    blurred = [cv2.GaussianBlur(image.astype(np.float32), (0, 0), 1.0) for image in (laid, grey)]
    mean, difference = (blurred[0] + blurred[1]) / 2, blurred[0] - blurred[1]
    across, down = (cv2.Sobel(mean, cv2.CV_32F, *order, ksize=3, scale=1 / 8) * shown for order in ((1, 0), (0, 1)))
    side = max(8, round(np.sqrt(grey.size) / DISPLACED_BLOCKS))
    starts = [np.arange(0, length, side) for length in grey.shape]

    def sums(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(np.add.reduceat(values, starts[0], axis=0), starts[1], axis=1).ravel()

    xx, yy, xy = sums(across * across), sums(down * down), sums(across * down)
    xd, yd, energy = sums(across * difference), sums(down * difference), xx + yy
    xx, yy = xx + 0.05 * energy.mean(), yy + 0.05 * energy.mean()
    determinants = np.maximum(xx * yy - xy * xy, 1e-6)
    x, y = (yy * xd - xy * yd) / determinants, (xx * yd - xy * xd) / determinants
    telling = energy > 0.3 * np.median(energy)
    return float(np.sqrt((x * x + y * y)[telling].mean())) if telling.any() else 0.0


def describe_covered(a: Signature, b: Signature, blocks: Blocks) -> str:
    """Return the changes between two images whose whole frames agree in many blocks."""
    matrix = frame_map(a.points.grey.shape, b.points.grey.shape, blocks.flip)
    words = moved(a, b, matrix) + (["inverted"] if blocks.negative else [])
    if blocks.covered or (not blocks.negative and drawn_on(a, b, matrix)):
        words.append("marked")  # which changes the mean colours as well
    elif not blocks.negative:
        words += recoloured(a, b, matrix, mean_gain(a, b)) + retouched(a, b, matrix)
    return ", ".join(words) or "degraded"


def describe_degraded(a: Signature, b: Signature, flip: int, negative: bool) -> str:
    """Return the changes between two images of which one whole frame, or its negative, lies on the other in a flip."""
    matrix = frame_map(a.points.grey.shape, b.points.grey.shape, flip)
    words = moved(a, b, matrix) + (["inverted"] if negative else [])
    words += [] if negative else recoloured(a, b, matrix, mean_gain(a, b)) + retouched(a, b, matrix)
    return ", ".join(words) or "degraded"


def mean_gain(a: Signature, b: Signature) -> float:
    """Return the mean grey of b over that of a."""
    return float(max(b.points.grey.mean(), 1) / max(a.points.grey.mean(), 1))


def moved(a: Signature, b: Signature, matrix: np.ndarray) -> list[str]:
    """Return how image a was mirrored, rotated and scaled to become b."""
    matrix = in_file_pixels(a, b, matrix)
    mirrored = determinant(matrix) < 0
    # A mirrored image is described as left and right exchanged, then rotated.
    linear = matrix[:, :2] * np.array([-1.0, 1.0]) if mirrored else matrix[:, :2]
    _, (large, small), _ = np.linalg.svd(linear)
    angle = round(abs(np.degrees(np.arctan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1]))))
    words = ["mirrored"] if mirrored else []
    words += [f"rotated by {angle} degrees"] if angle > ROTATION else []
    rounding = 1 / min(*a.size, *b.size)  # of a side to whole px
    if large / small > 1 + STRETCH + rounding:
        words.append("stretched")
    elif abs(np.log(large * small) / 2) > SCALE + rounding:
        words.append("resized")
    return words


def retouched(a: Signature, b: Signature, matrix: np.ndarray) -> list[str]:
    """Return `contrast` and `noise` where the grey levels of what both show differ in these ways."""
    levels = grey_levels(*overlaid(a, b, matrix))
    words = []
    if levels is not None:
        change, gain = np.log(levels[1] / levels[0])
        words += ["contrast"] if min(abs(change), abs(change - gain)) > CONTRAST else []
    return words + (["noise"] if abs(a.frame.noise_sd - b.frame.noise_sd) > NOISE else [])


def drawn_on(a: Signature, b: Signature, matrix: np.ndarray) -> bool:
    """Return whether one of two aligned images has parts that the other does not show, once their levels are made alike."""
    laid, grey, shown = overlaid(a, b, matrix)
    levels, difference = grey_levels(laid, grey, shown), levelled(laid, grey, shown)
    if levels is None or difference is None:
        return False
    drawn = (np.abs(cv2.GaussianBlur(difference, (0, 0), MARK_BLUR)) > max(MARK, 0.4 * levels[1, 0])) & shown
    return bool(drawn.sum() > MARK_AREA * shown.sum())


def levelled(laid: np.ndarray, grey: np.ndarray, shown: np.ndarray) -> np.ndarray | None:
    """Return float32 (h, w): image a, laid on b, less b, once spread and median are alike; None where they hardly overlap."""
    levels = grey_levels(laid, grey, shown)
    if levels is None:
        return None
    (spread_a, median_a), (spread_b, median_b) = levels
    return (laid.astype(np.float32) - median_a) * (spread_b / spread_a) + median_b - grey


def overlaid(a: Signature, b: Signature, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return image a laid on b, b, and where both show something, all (h, w)."""
    shape = b.points.grey.shape[::-1]
    shown = cv2.warpAffine(np.full(a.points.grey.shape, 255, np.uint8), matrix, shape) > 250
    shown = cv2.erode(shown.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0) > 0
    return cv2.warpAffine(a.points.grey, matrix, shape), b.points.grey, shown


def grey_levels(laid: np.ndarray, grey: np.ndarray, shown: np.ndarray) -> np.ndarray | None:
    """Return float (2, 2): spread and median of both images, None where they hardly overlap."""
    if shown.sum() < 0.05 * shown.size:
        return None
    # by counting, a tenth of the time of sorting
    shares = [np.bincount(image[shown], minlength=256).cumsum() / shown.sum() for image in (laid, grey)]
    quantiles = [np.searchsorted(share, [0.1, 0.5, 0.9]) for share in shares]
    return np.array([[max(high - low, 1.0), max(middle, 1.0)] for low, middle, high in quantiles], float)


def is_cropped(a: Signature, b: Signature, agreement: Agreement) -> bool:
    """Return whether part of one image lies outside of the other: of its content, and of its frame.

    An image rotated in a larger frame keeps its content; the dark rim of a lens counts as content in one copy and as frame
    in another, but then the frames still fit.
    """
    if min(agreement.covered) >= CROP:
        return False
    (height_a, width_a), (height_b, width_b) = (signature.points.grey.shape for signature in (a, b))
    common = cv2.warpAffine(np.ones((height_a, width_a), np.uint8), agreement.matrix, (width_b, height_b)).sum()
    size = abs(determinant(agreement.matrix))
    return bool(min(common / (height_a * width_a * size), common / (height_b * width_b)) < CROP)


def in_file_pixels(a: Signature, b: Signature, matrix: np.ndarray) -> np.ndarray:
    """Return `matrix` for px of the files instead of px of the working sizes."""
    scale_a, scale_b = (signature.size / np.array(signature.points.grey.shape[::-1], float) for signature in (a, b))
    linear = scale_b[:, None] * matrix[:, :2] / scale_a
    return np.column_stack([linear, scale_b * matrix[:, 2]])


def recoloured(a: Signature, b: Signature, matrix: np.ndarray, gain: float) -> list[str]:
    """Return `brightness` and `colour` where these differ in what both images show; `gain`: of the mean grey."""
    words = ["brightness"] if abs(np.log(gain)) > GAIN else []
    means = common_colours(a, b, matrix)
    if means is not None:
        ratios = np.log(np.maximum(means[1], 1) / np.maximum(means[0], 1))
        words += ["colour"] if np.ptp(ratios) > TINT else []
    return words


def common_colours(a: Signature, b: Signature, matrix: np.ndarray) -> np.ndarray | None:
    """Return float (2, 3), the mean colours of the part that both images show; None where they hardly overlap."""
    side = len(a.colours)
    to_a, to_b = (np.array(signature.points.grey.shape[::-1], float) / side for signature in (a, b))
    small = np.column_stack([matrix[:, :2] * to_a / to_b[:, None], matrix[:, 2] / to_b])
    shown = cv2.warpAffine(np.full((side, side), 255, np.uint8), small, (side, side)) > 250
    contents = [
        cv2.resize(signature.points.content, (side, side), interpolation=cv2.INTER_AREA) for signature in (a, b)
    ]
    shown &= (cv2.warpAffine(contents[0], small, (side, side)) > 0) & (contents[1] > 0)
    if shown.sum() < 0.05 * shown.size:
        return None
    laid = cv2.warpAffine(a.colours, small, (side, side))
    return np.stack([laid[shown].mean(axis=0), b.colours[shown].mean(axis=0)])
