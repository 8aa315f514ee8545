"""The model's square of an image, its classical features, and drawn images that belong to no patient."""

import io

import numpy as np
from PIL import Image

from pipeline.data.images.pixel_rule import Resize

SIZE = 224  # px, width and height of what a model sees


def to_png(pixels: np.ndarray) -> bytes:
    """Return uint8 RGB (height, width, 3) as a PNG that holds nothing but these pixels: equal ones give equal bytes."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def resize(pixels: np.ndarray, size: int = SIZE, how: Resize = "stretch") -> np.ndarray:
    """Return uint8 RGB (height, width, 3) as (size, size, 3): bilinear, antialiased when shrinking.

    `how`: the whole image stretched, the whole image with black borders, or the middle of it.
    """
    return to_square(Image.fromarray(pixels), size, how)


def to_square(image: Image.Image, size: int, how: Resize = "stretch") -> np.ndarray:
    """Return `resize` of an image; one of mode L is made RGB when it is small."""
    width, height = image.size
    if how == "stretch" or width == height:
        return _scaled(image, size, size)
    if how == "crop":
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        return _scaled(image.crop((left, top, left + side, top + side)), size, size)
    inner = [max(1, round(size * length / max(width, height))) for length in (width, height)]
    out = np.zeros((size, size, 3), np.uint8)
    left, top = ((size - length) // 2 for length in inner)
    out[top : top + inner[1], left : left + inner[0]] = _scaled(image, *inner)
    return out


def _scaled(image: Image.Image, width: int, height: int) -> np.ndarray:
    scaled = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(scaled.convert("RGB") if image.mode == "L" else scaled)


def classical(square: np.ndarray) -> np.ndarray:
    """Return (320,) float32 in 0..1 of a (SIZE, SIZE, 3) image: a 4x4x4 colour histogram, then 16x16 grey values."""
    bins = square >> 6
    # Uint8 over the whole image: half the time of pixel by pixel.
    colour = bins[..., 0] * 16 + bins[..., 1] * 4 + bins[..., 2]
    histogram = np.bincount(colour.ravel(), minlength=64) / colour.size
    grey = np.asarray(Image.fromarray(square).convert("L").resize((16, 16), Image.Resampling.BOX)) / 255
    return np.concatenate([histogram, grey.ravel()]).astype(np.float32)


def sample_images() -> list[np.ndarray]:
    """Return four drawn uint8 RGB (SIZE, SIZE, 3) images: inputs for self-tests that belong to no patient."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / (SIZE - 1)
    disc = (np.hypot(x - 0.5, y - 0.5) < 0.3).astype(float)
    drawn = [
        np.stack([0.9 - 0.4 * disc, 0.7 - 0.4 * disc, 0.6 - 0.3 * disc], axis=-1),
        np.stack([x, y, 1 - x], axis=-1),
        np.stack([(np.sin(40 * x) + 1) / 2] * 3, axis=-1),
        np.full((SIZE, SIZE, 3), 0.5),
    ]
    return [np.round(image * 255).astype(np.uint8) for image in drawn]
