"""Draw an explanation's map over its image.

The colours are none of those that charts give to classes, and readers without red-green vision can tell them apart.
"""

import io

import numpy as np
from PIL import Image

from pipeline.data import thumbnails
from pipeline.data.images.pixel_rule import PixelRule, Resize

FOR, AGAINST = (255, 214, 0), (0, 214, 255)  # yellow and cyan
OPAQUE = 0.7  # opacity at the largest value


def overlay(pixels: np.ndarray, heat: np.ndarray, how: Resize = "stretch", opaque: float = OPAQUE) -> np.ndarray:
    """Return the image, uint8 (height, width, 3), yellow where it supports the class and cyan where it opposes it.

    The largest value of `heat`, over the square that the model saw, is the most opaque: colours compare positions, not images.
    `how` that square was made of the image; see `seen`.
    """
    height, width = pixels.shape[:2]
    size = (max(width, height),) * 2 if how == "letterbox" else (width, height)
    scaled = (heat / max(np.abs(heat).max(), 1e-12)).astype(np.float32)
    strength = np.asarray(Image.fromarray(scaled).resize(size, Image.Resampling.BILINEAR))
    top, left = (size[1] - height) // 2, (size[0] - width) // 2
    strength = strength[top : top + height, left : left + width, None]
    colour = np.where(strength > 0, np.array(FOR, np.float32), np.array(AGAINST, np.float32))
    share = np.abs(strength) * np.float32(opaque)
    return (pixels + (colour - pixels) * share).round().astype(np.uint8)


def small(data: bytes, side: int, rule: PixelRule) -> np.ndarray:
    """Return an image file as uint8 RGB, upright and at most `side` px wide and high."""
    return np.asarray(Image.open(io.BytesIO(thumbnails.preview(data, side, rule))).convert("RGB"))


def seen(pixels: np.ndarray, how: Resize) -> np.ndarray:
    """Return what a model sees of an image, uint8 (height, width, 3): its middle square where it is cropped, else all."""
    if how != "crop":
        return pixels
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[top : top + side, left : left + side]
