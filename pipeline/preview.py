"""Pictures for people to look at: of an uploaded file, small and upright, and drawn ones to try a model with."""

import io

import numpy as np
from PIL import Image

from pipeline import images
from pipeline.camera import photograph
from pipeline.drawing import draw_lesion


def preview(data: bytes, side: int) -> bytes:
    """Return an image file's picture as JPEG, at most `side` px wide and high; raise DataError as `images.decode` does."""
    with images.upright(data) as (image, _):
        image.thumbnail((side, side))
        return encoded(image)


def example(number: int) -> bytes:
    """Return a drawn photo of a skin lesion as JPEG: of nobody, another one for each `number`, looking ill by turns."""
    rng = np.random.default_rng(number)
    return encoded(Image.fromarray(photograph(rng, draw_lesion(rng, 0.9 if number % 2 else 0.1))))


def encoded(image: Image.Image) -> bytes:
    """Return an RGB picture as the bytes of a JPEG file."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()
