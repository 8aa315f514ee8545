"""Describe how a copy was edited, from the alignment of the two images and from their colours."""

import cv2
import numpy as np

from pipeline.duplicates.images.alignment import determinant
from pipeline.duplicates.images.verify import Agreement, Signature

ROTATION = 1.5  # degrees, from which on an image counts as rotated
STRETCH, SCALE = 0.03, 0.02  # change of the aspect ratio, and of the size
CROP = 0.93  # share of one image that must lie in the other, unless it was cropped
GAIN, TINT = 0.06, 0.04  # of the brightness, and of one colour against the others


def describe(a: Signature, b: Signature, agreement: Agreement) -> str:
    """Return the changes between two images, for instance `mirrored, rotated by 90 degrees, resized`.

    The direction is unknown: a darkened copy and a brightened one read alike. If only the bytes of the file changed, the
    description is `re-encoded`.
    """
    matrix = in_file_pixels(a, b, agreement.matrix)
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
    words += ["cropped"] if is_cropped(a, b, agreement) else []
    words += recoloured(a, b, agreement)
    words += ["marked"] if agreement.marked else []
    return ", ".join(words) or "re-encoded"


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


def recoloured(a: Signature, b: Signature, agreement: Agreement) -> list[str]:
    """Return `brightness` and `colour` where these differ in what both images show."""
    words = ["brightness"] if abs(np.log(agreement.gain)) > GAIN else []
    means = common_colours(a, b, agreement.matrix)
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
