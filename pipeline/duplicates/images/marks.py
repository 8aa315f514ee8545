"""Measure text and marks that were burnt into an image: spots of pure white on what is darker, by where they stand."""

import numpy as np

CELLS = 8  # a side: a letter in a corner fills a good part of a cell
WHITE = 250  # of 255, in each channel: overlays are drawn in pure white, tissue and highlights hardly reach it
LARGEST_PART = 0.5  # of a cell: more is a white area, a paper or a background, and no mark


def measure_marks(pixels: np.ndarray) -> np.ndarray:
    """Return the share of pure white in each cell, float32 (CELLS * CELLS,) row by row; 0 in cells that are mostly white.

    `pixels`: uint8 RGB (height, width, 3).
    """
    white = pixels.min(axis=2) >= WHITE
    rows, columns = (np.linspace(0, side, CELLS + 1).astype(int) for side in white.shape)
    counts = np.add.reduceat(np.add.reduceat(white.astype(np.int32), rows[:-1], axis=0), columns[:-1], axis=1)
    share = counts / np.outer(np.diff(rows), np.diff(columns))
    return np.where(share > LARGEST_PART, 0, share).astype(np.float32).ravel()
