"""Detect the keypoints by which an image is recognised, and describe their surroundings.

SIFT (Lowe 2004) on a small grey image, with the square root of Arandjelovic and Zisserman (2012). The 150
points with the largest product of response and size are kept, because small points do not survive compression or shrinking: on
HAM10000, 88 % of edited copies are proposed when ranked by response alone, 97 % by the product.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

# Px of content: all images are scaled to it, so that a rotated copy in a larger frame fits its original.
AREA = 160 * 120
LONGEST = 305  # px
POINTS = 150  # of an image; 300 cost three times as much and find no more
CONTRAST = 0.008  # SIFT's threshold: soft skin has points, too
LENGTH = 512  # of a descriptor; few of its numbers exceed 255, where they are cut
FRAME_TOLERANCE = 10  # grey levels: compression makes the black around a rotated image uneven
MIRROR = np.arange(128).reshape(4, 4, 8)[::-1][:, :, -np.arange(8) % 8].ravel()
# A descriptor is 4x4 cells of 8 directions in the point's own frame; in the mirror rows and directions run the other way.
SIDES = np.random.default_rng(5).normal(size=128).astype(np.float32)
SIDES -= SIDES[MIRROR]  # the product with a descriptor changes its sign in the mirror
cv2.setNumThreads(1)  # images are processed in parallel; threads within one image would only compete


@dataclass(frozen=True)
class Points:
    """The keypoints of an image and their descriptors.

    `grey`: uint8 (h, w), the image at its working size; `content`: uint8 (h, w), 1 where it shows something, 0 in a frame
    of one colour; `xy`: float32 (n, 2) in px of `grey`; `descriptors`: uint8 (n, 128), each as it is or as it is in the
    mirror, whichever lies on the positive side of SIDES; `mirrored`: bool (n,), which of the two. So points of an image and of
    its mirror image have the same descriptors, and `mirrored` tells the images apart.
    """

    grey: np.ndarray
    content: np.ndarray
    xy: np.ndarray
    descriptors: np.ndarray
    mirrored: np.ndarray


def find_points(pixels: np.ndarray) -> Points:
    """Return the points of an RGB image, uint8 (h, w, 3)."""
    grey = working_grey(pixels)
    framed = frame(grey)
    shown = grey[~framed] if 0.1 < (~framed).mean() < 1 else grey
    low, high = np.quantile(shown, [0.005, 0.995])
    stretched = np.clip((grey - np.float32(low)) * np.float32(255 / max(high - low, 1)), 0, 255).astype(np.uint8)
    return Points(grey, (~framed).astype(np.uint8), *detect(stretched, framed))


def working_grey(pixels: np.ndarray) -> np.ndarray:
    """Return the grey image, uint8 (h, w), of an RGB one at the size at which its content without frame covers about AREA px."""
    image = Image.fromarray(pixels).convert("L")
    longest = max(image.size)
    first = scaled(image, 160 / longest)
    shown = max(1 - frame(first).mean(), 0.25) * image.width * image.height
    return scaled(image, min(np.sqrt(AREA / shown), LONGEST / longest))


def scaled(image: Image.Image, by: float) -> np.ndarray:
    """Return `image` as an array, its sides times `by`, at least 8 px."""
    size = max(8, round(image.width * by)), max(8, round(image.height * by))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))


def frame(grey: np.ndarray) -> np.ndarray:
    """Return bool (h, w): the pixels of a frame of one colour, as rotation, padding and round lenses leave it."""
    kernel = np.ones((3, 3), np.uint8)
    flat = (cv2.dilate(grey, kernel) - cv2.erode(grey, kernel)) <= 2
    rim = np.concatenate([line[even] for line, even in zip(edges(grey, 1), edges(flat, 1), strict=True)])
    counts = np.bincount(rim, minlength=256)
    framed = np.zeros(grey.shape, np.uint8)
    for _ in range(2):  # a frame may have two colours, for instance white with black corners
        level = int(counts.argmax())
        if counts[max(0, level - 2) : level + 3].sum() < 0.04 * sum(grey.shape):
            break
        counts[max(0, level - FRAME_TOLERANCE) : level + FRAME_TOLERANCE + 1] = 0
        like = (np.abs(grey.astype(np.int16) - level) <= FRAME_TOLERANCE).astype(np.uint8)
        n, part, stats, _ = cv2.connectedComponentsWithStats(like, connectivity=4)
        even = np.bincount(part[flat], minlength=n)
        outer = np.zeros(n, bool)
        outer[np.concatenate(edges(part, 0))] = True
        outer[0] = False  # all other pixels
        outer &= (even > 0.005 * grey.size) & (even > 0.5 * stats[:, cv2.CC_STAT_AREA])
        framed |= outer[part].astype(np.uint8)
    return cv2.dilate(framed, kernel) > 0


def edges(image: np.ndarray, depth: int) -> list[np.ndarray]:
    """Return the four lines of pixels, (w,) or (h,), of a grey image (h, w) that lie `depth` px inside the image's edges."""
    return [image[depth], image[-1 - depth], image[:, depth], image[:, -1 - depth]]


def detect(grey: np.ndarray, framed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return `xy`, `descriptors` and `mirrored` of the POINTS most likely to be found in a copy, none of them in `framed`."""
    sift = cv2.SIFT.create(nfeatures=0, contrastThreshold=CONTRAST)
    points = sift.detect(grey, None)
    if framed.any():
        away = cv2.distanceTransform((~framed).astype(np.uint8), cv2.DIST_L2, 3)
        points = [p for p in points if away[int(p.pt[1]), int(p.pt[0])] > max(2, 0.25 * p.size)]
    points = sorted(points, key=lambda p: (-p.response * p.size, p.pt, p.angle))[:POINTS]
    if not points:
        return np.empty((0, 2), np.float32), np.empty((0, 128), np.uint8), np.empty(0, bool)
    points, descriptors = sift.compute(grey, points)
    rooted = np.sqrt(descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-6))
    mirrored = rooted @ SIDES < 0
    rooted = np.where(mirrored[:, None], rooted[:, MIRROR], rooted)
    xy = np.array([p.pt for p in points], np.float32)
    return xy, np.clip(np.round(rooted * LENGTH), 0, 255).astype(np.uint8), mirrored
