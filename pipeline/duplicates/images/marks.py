"""Measure text and marks that were burnt into an image: edges of strokes, by where they stand, and vivid colours.

Tissue and hair have edges as well, but rarely one a pixel wide between even sides: noise and focus see to that.
"""

import cv2
import numpy as np

CELLS = 8  # a side: a letter in a corner fills a good part of a cell
N_MARKS = CELLS**2 + 3
SIDE = 256  # px, about: of larger images every second, third ... pixel is looked at
# Step in a channel of 0..255 and the largest difference on both sides of it: drawn in PNG; in JPEG, which rings
KINDS = ((50, 6), (80, 16))
# Green above the lesser of red and blue, more than the image's median: yellow, green, cyan, which no tissue or stain is
VIVID = 100


def measure_marks(pixels: np.ndarray) -> np.ndarray:
    """Return shares of pixels, float32 (N_MARKS,): vivid ones, edges of each kind, then edges in each cell, row by row.

    `pixels`: uint8 RGB (height, width, 3).
    """
    step = max(1, round(max(pixels.shape[:2]) / SIDE))
    small = np.ascontiguousarray(pixels[::step, ::step])
    kinds = [_edges(small, *kind) for kind in KINDS]
    either = kinds[0] | kinds[1]
    rows, columns = (np.linspace(0, side, CELLS + 1).astype(int) for side in either.shape)
    counts = np.add.reduceat(np.add.reduceat(either.astype(np.int32), rows[:-1], axis=0), columns[:-1], axis=1)
    share = counts / np.outer(np.diff(rows), np.diff(columns))
    red, green, blue = cv2.split(small)
    colour = cv2.subtract(green, cv2.min(red, blue))
    vivid = (colour > np.median(colour[::3, ::3]) + VIVID).mean()
    return np.append([vivid, *(edges.mean() for edges in kinds)], share).astype(np.float32)


def _edges(pixels: np.ndarray, least: int, most: int) -> np.ndarray:
    """Return where a step of at least `least` to the next pixel lies between two of at most `most`, bool (height, width)."""
    edges = np.zeros(pixels.shape[:2], bool)
    for view, image in ((edges, pixels), (edges.T, np.ascontiguousarray(pixels.transpose(1, 0, 2)))):
        red, green, blue = cv2.split(cv2.absdiff(image[1:], image[:-1]))
        difference = cv2.max(cv2.max(red, green), blue)
        even = difference <= most
        view[1:-2] |= (difference[1:-1] >= least) & even[:-2] & even[2:]
    return edges
