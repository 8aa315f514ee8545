"""How bright the pictures of each class are: a histogram by channel, counted while the scan has their pixels at hand."""

from pathlib import Path

import numpy as np

from pipeline.core import artifacts

BINS = 32
CHANNELS = ("red", "green", "blue")
STEP = 4  # px: every fourth row and column, 3,136 of 50,176 pixels, show the same histogram at a sixteenth of the cost
COLUMNS = ["class", "channel", "bin_low", "bin_high", "share"]


def count(square: np.ndarray) -> np.ndarray:
    """Return uint16 (3 * BINS,): how many of the pixels looked at lie in each bin of red, then green, then blue.

    `square`: uint8 RGB (224, 224, 3), what a model sees of a picture.
    """
    seen = square[::STEP, ::STEP].reshape(-1, len(CHANNELS)) // (256 // BINS)
    places = seen + np.arange(len(CHANNELS)) * BINS
    return np.bincount(places.ravel(), minlength=len(CHANNELS) * BINS).astype(np.uint16)


def write(path: Path, counts: dict[str, np.ndarray]) -> None:
    """Write the share of a class's pixels in each bin as a CSV file; `counts` holds each class's sum of `count`.

    Bins are [bin_low, bin_high] of 0..255, both ends in it.
    """
    width = 256 // BINS
    with artifacts.writing_csv(path, COLUMNS) as add:
        for label, total in sorted(counts.items()):
            for channel, bins in zip(CHANNELS, total.reshape(len(CHANNELS), BINS), strict=True):
                for number, share in enumerate(artifacts.rounded(bins / bins.sum())):
                    low = number * width
                    cells = (label, channel, low, low + width - 1, share)
                    add(dict(zip(COLUMNS, cells, strict=True)))
