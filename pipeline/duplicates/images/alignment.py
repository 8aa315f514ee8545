"""Align one image to another: by matched keypoints or by their frames, then refined on the pixels.

A matrix is float64 (2, 3) and takes px of image a's working grey to px of image b's.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.duplicates.images.frames import ORDER, SIGNS
from pipeline.duplicates.images.keypoints import LENGTH, Points

RATIO = 0.88  # of the distances to the nearest and the second nearest descriptor
NEAR = 2.0  # px by which a point may miss its partner
FEWEST = 5  # matches that are worth a try; one in ten thousand unrelated images reaches 6
ENOUGH = 25  # points that agree: the other handedness need not be tried
MOST_SCALE, MOST_STRETCH = 3.0, 2.3  # of one image against the other, and of its width against its height
CELL = 3  # px: points closer together count once
# Of ECC, and the gain in correlation with which it ends. Of 580 pairs of altered copies 30 iterations and 1e-4 decide as these
# do, in nearly twice the time.
ITERATIONS, GAIN = 12, 3e-4


@dataclass(frozen=True)
class Fit:
    """A matrix, and the number of matched points that agree with it."""

    matrix: np.ndarray
    inliers: int


def fit_points(a: Points, b: Points) -> Fit | None:
    """Return the affine map that most of the matched points of both images agree on, mirrored or not, if there is one."""
    rows, columns = match(a.descriptors.astype(np.float32) @ b.descriptors.astype(np.float32).T / LENGTH**2)
    opposite = a.mirrored[rows] != b.mirrored[columns]
    tries = []
    for mirrored in (False, True):
        of_kind = opposite == mirrored
        if of_kind.sum() >= FEWEST:
            tries.append((int(of_kind.sum()), mirrored, a.xy[rows[of_kind]], b.xy[columns[of_kind]]))
    best = None
    for _, mirrored, xy_a, xy_b in sorted(tries, key=lambda attempt: (-attempt[0], attempt[1])):
        candidate = fit(xy_a, xy_b, mirrored)
        if candidate and (best is None or candidate.inliers > best.inliers):
            best = candidate
        if best and best.inliers >= ENOUGH:
            break
    return best


def match(similar: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and columns that are each other's best and clearly better than the second best of their row.

    `similar`: (n, m), cosines; of unit vectors the squared distance is 2 - 2 cosines.
    """
    if min(similar.shape) < 2:
        return np.empty(0, int), np.empty(0, int)
    rows = np.arange(len(similar))
    column = similar.argmax(axis=1)
    mutual = similar.argmax(axis=0)[column] == rows
    first = similar[rows, column]
    similar[rows, column] = -1
    clear = 1 - first < RATIO**2 * (1 - similar.max(axis=1))
    keep = mutual & clear
    return rows[keep], column[keep]


def fit(xy_a: np.ndarray, xy_b: np.ndarray, mirrored: bool) -> Fit | None:
    """Return the affine map from points (n, 2) to points (n, 2) by RANSAC, if it is one that a copy could have."""
    matrix, agreeing = cv2.estimateAffine2D(
        xy_a, xy_b, method=cv2.RANSAC, ransacReprojThreshold=NEAR, maxIters=600, confidence=0.995, refineIters=10
    )
    if matrix is None or not plausible(matrix) or (determinant(matrix) < 0) != mirrored:
        return None
    agreeing = agreeing.ravel().astype(bool)
    return Fit(matrix, min(count_apart(xy[agreeing]) for xy in (xy_a, xy_b)))


def plausible(matrix: np.ndarray) -> bool:
    """Return whether a copy could be scaled and stretched as much as by `matrix` (2, 3)."""
    large, small = cv2.SVDecomp(matrix[:, :2])[0].ravel()
    return bool(large <= MOST_SCALE and small >= 1 / MOST_SCALE and large <= MOST_STRETCH * small)


def determinant(matrix: np.ndarray) -> float:
    """Return the area of image a's pixel in image b by `matrix` (2, 3); negative if one is the mirror image of the other."""
    return float(matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0])


def count_apart(xy: np.ndarray) -> int:
    """Return how many cells of CELL px the points, (n, 2), lie in."""
    cells = (xy / CELL).astype(np.int64)
    return len(np.unique(cells[:, 0] * 100_000 + cells[:, 1]))


def fit_frames(a: Points, b: Points, frequencies_a: np.ndarray, frequencies_b: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the map of the whole frame on the whole frame, in the likeliest of the eight flips and quarter turns.

    Also returns the cosine of the low frequencies, float32 (80,) each, by which it was chosen.
    """
    cosines = (frequencies_a[ORDER] * SIGNS) @ frequencies_b
    likeliest = int(cosines.argmax())
    return frame_map(a.grey.shape, b.grey.shape, likeliest), float(cosines[likeliest])


def frame_map(shape_a: tuple[int, ...], shape_b: tuple[int, ...], flip: int) -> np.ndarray:
    """Return the map of one whole frame, (height, width), on another in a flip as `frames.flip` numbers them."""
    (height_a, width_a), (height_b, width_b) = shape_a, shape_b
    transposed, down, across = flip // 4, flip // 2 % 2, flip % 2
    linear = np.array([[0.0, 1.0], [1.0, 0.0]]) if transposed else np.eye(2)
    linear *= np.array([[-1.0 if across else 1.0], [-1.0 if down else 1.0]])
    size = np.array([width_b, height_b], float)
    linear = size[:, None] * linear / np.array([width_a, height_a], float)
    # Pixels are counted from their centres, frames from their edges.
    shift = size * [across, down] + linear @ [0.5, 0.5] - 0.5
    return np.column_stack([linear, shift])


def refine(a: Points, b: Points, matrix: np.ndarray) -> np.ndarray | None:
    """Return `matrix` (2, 3) after ECC (Evangelidis and Psarakis 2008) on the contents of both, None where that fails."""
    back: np.ndarray = cv2.invertAffineTransform(matrix).astype(np.float32)
    until = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, ITERATIONS, GAIN)
    masks = b.content * np.uint8(255), a.content * np.uint8(255)
    try:
        _, back = cv2.findTransformECCWithMask(b.grey, a.grey, *masks, back, cv2.MOTION_AFFINE, until, 5)
    except cv2.error:  # it does not converge
        return None
    if abs(determinant(back)) < 1e-3:
        return None
    refined = cv2.invertAffineTransform(back.astype(np.float64))
    return refined if plausible(refined) else None
