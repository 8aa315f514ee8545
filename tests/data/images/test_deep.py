"""Images of more than 8 bits a value are read as the numbers they store."""

import io

import numpy as np
import pytest
from PIL import Image

from pipeline.core.errors import DataError
from pipeline.data.images import decoding
from pipeline.data.images.pixel_rule import PixelRule
from tests.helpers.deep_images import BASE, G12, pixels, tiff
from tests.helpers.samples import encoded


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_16_bits_are_scaled_rather_than_clipped(file_format):
    ramp = np.linspace(0, 65535, 40 * 40).reshape(40, 40).astype(np.uint16)
    decoded = pixels(Image.fromarray(ramp), file_format)
    assert np.array_equal(decoded, np.round(ramp / 257).astype(np.uint8)[..., None].repeat(3, axis=2))


@pytest.mark.parametrize(("top", "expected"), [(1.0, 255), (0.5, 128), (1000.0, 255)])
def test_floats_are_scaled_by_one_or_their_maximum(top, expected):
    assert pixels(Image.fromarray(np.full((40, 40), top, np.float32)), "TIFF").max() == expected


def test_nan_and_infinity_become_black_alone():
    values = np.full((40, 40), 0.5, np.float32)
    values[0], values[1] = np.nan, np.inf
    decoded = pixels(Image.fromarray(values), "TIFF")
    assert not decoded[:2].any()
    assert (decoded[2:] == 128).all()


def test_deep_colours_in_planes_are_refused():
    """Pillow would read their bytes as values."""
    with pytest.raises(DataError, match="colours lie in separate planes"):
        decoding.decode(tiff(G12, t284=2))


@pytest.mark.parametrize("how", ["tiff_lzw", "tiff_adobe_deflate"])
def test_compressed_16_bit_tiff_keeps_its_low_bytes(how):
    out = io.BytesIO()
    Image.fromarray(G12).save(out, "TIFF", compression=how)
    decoded = decoding.decode(out.getvalue(), PixelRule("12 bits"))
    assert np.abs(decoded.pixels - BASE[..., None].astype(int)).max() <= 1


def test_signed_8_bit_values_are_refused():
    data = encoded(Image.fromarray(np.zeros((20, 20), np.uint8)), "TIFF", tiffinfo={339: 2})
    with pytest.raises(DataError, match="signed 8-bit values"):
        decoding.decode(data)
