"""Describe how a copy was edited, from the alignment of the two images and from their colours."""

import cv2
import numpy as np

from pipeline.duplicates.images.alignment import determinant, frame_map
from pipeline.duplicates.images.verify import Agreement, Signature

ROTATION = 1.5  # degrees, from which on an image counts as rotated
STRETCH, SCALE = 0.03, 0.02  # change of the aspect ratio, and of the size
CROP = 0.93  # share of one image that must lie in the other, unless it was cropped
GAIN, TINT = 0.06, 0.04  # of the brightness, and of one colour against the others
# Where two images differ by more grey levels than MARK after a blur, in more than MARK_AREA of what both show, one was
# drawn on.
MARK, MARK_AREA, MARK_BLUR = 30, 0.004, 1.5
CONTRAST = 0.15  # change of the spread of the grey levels, less that of the brightness; both natural logarithms
NOISE = 8.0  # grey levels by which the noise of two images differs


def describe(a: Signature, b: Signature, agreement: Agreement) -> str:
    """Return the changes between two images, for instance `mirrored, rotated by 90 degrees, resized`.

    The direction is unknown: a darkened copy and a brightened one read alike. If only the bytes of the file changed, the
    description is `re-encoded`.
    """
    words = moved(a, b, agreement.matrix)
    words += ["cropped"] if is_cropped(a, b, agreement) else []
    words += recoloured(a, b, agreement.matrix, agreement.gain)
    changed = retouched(a, b, agreement.matrix)
    words += ["marked"] if agreement.marked and "marked" not in changed else []
    return ", ".join(words + changed) or "re-encoded"


def describe_frames(a: Signature, b: Signature, flip: int, negative: bool, covered: bool) -> str:
    """Return the changes between two images of which one whole frame lies on the other in a flip of `frames.flip`.

    `negative`: one is dark where the other is bright; `covered`: they agree, but not everywhere. What is left is `degraded`.
    """
    matrix = frame_map(a.points.grey.shape, b.points.grey.shape, flip)
    words = moved(a, b, matrix) + (["inverted"] if negative else [])
    if not negative:
        gain = float(max(b.points.grey.mean(), 1) / max(a.points.grey.mean(), 1))
        words += recoloured(a, b, matrix, gain) + [word for word in retouched(a, b, matrix) if word != "marked"]
    words += ["marked"] if covered and not negative else []
    return ", ".join(words) or "degraded"


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
    """Return `contrast`, `noise` and `marked` where the grey levels of what both show differ in these ways."""
    shape = b.points.grey.shape[::-1]
    laid = cv2.warpAffine(a.points.grey, matrix, shape)
    shown = cv2.warpAffine(np.full(a.points.grey.shape, 255, np.uint8), matrix, shape) > 250
    shown = cv2.erode(shown.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0) > 0
    if shown.sum() < 0.05 * shown.size:
        return []
    levels = [np.quantile(grey[shown], [0.1, 0.5, 0.9]) for grey in (laid, b.points.grey)]
    spreads = [max(high - low, 1.0) for low, _, high in levels]
    change = np.log(spreads[1] / spreads[0])
    gain = np.log(max(levels[1][1], 1) / max(levels[0][1], 1))
    words = ["contrast"] if min(abs(change), abs(change - gain)) > CONTRAST else []
    words += ["noise"] if abs(a.frame.noise_sd - b.frame.noise_sd) > NOISE else []
    # One is given the median and spread of the other; what then differs was drawn.
    scaled = (laid.astype(np.float32) - levels[0][1]) * (spreads[1] / spreads[0]) + levels[1][1]
    difference = cv2.GaussianBlur(scaled - b.points.grey, (0, 0), MARK_BLUR)
    drawn = (np.abs(difference) > max(MARK, 0.4 * spreads[1])) & shown
    return words + (["marked"] if drawn.sum() > MARK_AREA * shown.sum() and not words else [])


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
