"""Files whose header does not fit their values are named, whatever the rule."""

import numpy as np
import pytest

from pipeline.data.images import decoding
from pipeline.data.images.pixel_rule import PixelRule
from tests.helpers.deep_images import png
from tests.helpers.dicom import dataset, dicom, to_bytes

G12 = (np.arange(48 * 64).reshape(48, 64) % 4096).astype(np.uint16)
FLOATS = (G12 / 4096 * 2 - 0.5).astype(np.float32)


def floats(values: np.ndarray, **elements: object) -> bytes:
    """Return a DICOM file of 32-bit floats."""
    ds = dataset(np.zeros(values.shape, np.uint16), BitsStored=None, HighBit=None, PixelRepresentation=None, **elements)
    del ds.PixelData
    ds.BitsAllocated, ds.FloatPixelData = 32, values.tobytes()
    return to_bytes(ds)


def with_rows(data: np.ndarray, rows: int) -> bytes:
    ds = dataset(data, BitsStored=12)
    ds.Rows = rows
    return to_bytes(ds)


ODD = {
    "12 bits in 16 without a window": (dicom(G12), "a small part of its 16 bits"),
    "more bits than declared": (dicom(G12, BitsStored=8), "more than the 8 bits"),
    "a window far too wide": (dicom(G12, BitsStored=12, WindowCenter=0, WindowWidth=10**8), "a small part of its own window"),
    "dark colours of 16 bits": (dicom(np.stack([G12] * 3, -1)), "nearly black"),
    "half of the pixels": (with_rows(G12, 24), "the rest is not shown"),
    "floats without a window": (floats(FLOATS), "stretched by its own range"),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("intensity", [None, "file"])
def test_values_that_a_header_does_not_fit_are_named(name, intensity):
    data, reason = ODD[name]
    assert reason in decoding.decode(data, PixelRule(intensity)).misfit


def test_an_overlay_inside_the_pixels_is_no_fault():
    ds = dataset(G12 | np.uint16(0x8000), BitsStored=12)
    ds.add_new(0x60000102, "US", 15)
    assert decoding.decode(to_bytes(ds)).misfit == ""


def test_dark_colours_with_transparency_are_named():
    opaque = np.stack([*[G12] * 3, np.full_like(G12, 65535)], axis=-1)
    assert "nearly black" in decoding.decode(png(opaque, 6)).misfit


def test_infinite_values_and_windows_do_not_blacken_an_image():
    infinite = FLOATS.copy()
    infinite[0, 0] = np.inf
    expected = decoding.decode(floats(FLOATS)).pixels
    assert np.abs(decoding.decode(floats(infinite)).pixels[1:].astype(int) - expected[1:]).max() <= 1
    window = dicom(G12, BitsStored=12, WindowCenter="5", WindowWidth="77777").replace(b"77777", b"inf  ")
    assert (decoding.decode(window).pixels == decoding.decode(dicom(G12, BitsStored=12)).pixels).all()


def test_floats_are_0_to_1_under_the_full_range():
    shown = decoding.decode(floats(FLOATS), PixelRule("full"))
    assert (shown.pixels[..., 0] == np.round(FLOATS.clip(0, 1) * 255)).all()
    assert "outside of full" in shown.misfit


def test_signed_bytes_are_shown():
    values = (G12 % 256 - 128).astype(np.int8)
    assert np.abs(decoding.decode(dicom(values)).pixels[..., 0].astype(int) - (values.astype(int) + 128)).max() <= 1


def test_padding_counts_neither_as_value_nor_as_range():
    padded = G12.copy()
    padded[:4] = 65535
    assert decoding.decode(dicom(padded, PixelPaddingValue=65535), PixelRule("12 bits")).misfit == ""
