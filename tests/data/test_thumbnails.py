"""A thumbnail is a small upright JPEG."""

import io

import pytest
from PIL import Image

from pipeline.core.errors import DataError
from pipeline.data.thumbnails import preview
from tests.helpers.samples import encoded, noise


def test_a_thumbnail_is_an_upright_jpeg_within_its_limits():
    exif = Image.Exif()
    exif[0x0112] = 6  # rotated by 90 degrees
    image = Image.open(io.BytesIO(preview(encoded(noise(1, 300, 200), "JPEG", exif=exif), 60)))
    assert (image.format, image.size, image.getexif().get(0x0112)) == ("JPEG", (40, 60), None)


def test_small_images_keep_their_size():
    assert Image.open(io.BytesIO(preview(encoded(noise(1)), 500))).size == (60, 40)


def test_unreadable_bytes_are_refused():
    with pytest.raises(DataError, match="not a readable image"):
        preview(b"no image", 60)
