"""Small upright previews of image files, as JPEG."""

import io

from PIL import Image

from pipeline.data.images import decoding
from pipeline.data.images.pixel_rule import AS_IT_WAS, PixelRule


def preview(data: bytes, side: int, rule: PixelRule = AS_IT_WAS) -> bytes:
    """Return an image file as an upright JPEG, at most `side` px wide and high; raise DataError as `decoding.decode` does."""
    with decoding.upright(data, rule) as (image, _):
        image.thumbnail((side, side))
        return encoded(image.convert("RGB"))


def encoded(image: Image.Image) -> bytes:
    """Return an RGB image as the bytes of a JPEG file."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()
