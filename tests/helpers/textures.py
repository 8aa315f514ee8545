"""Drawn images for the tests of the audit: enough like photographs, of nobody."""

import numpy as np
from PIL import Image

from tests.helpers.samples import encoded


def texture(seed: int, width: int = 200, height: int = 150, contrast: float = 1.0) -> Image.Image:
    """Return a drawn image of soft colour spots on a bright ground, with grain."""
    rng = np.random.default_rng(seed)
    photo = np.full((height, width, 3), 170.0)
    for size, strength in ((5, 50), (12, 30), (40, 15)):
        spots = rng.normal(0, strength * contrast, (size, size, 1)) + rng.normal(0, 5 * contrast, (size, size, 3))
        layers = [
            Image.fromarray(layer).resize((width, height), Image.Resampling.BICUBIC)
            for layer in np.moveaxis(spots, 2, 0).astype(np.float32)
        ]
        photo += np.stack([np.asarray(layer) for layer in layers], axis=2)
    photo += rng.normal(0, 3 * contrast, photo.shape)
    return Image.fromarray(photo.clip(0, 255).astype(np.uint8))


def stored(image: Image.Image, file_format: str = "JPEG", **options: object) -> bytes:
    """Return the bytes of an image file, as a camera writes it."""
    return encoded(image, file_format, **options)
