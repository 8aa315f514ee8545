"""More than 8 bits become 0..255 by the rule of the data set: one scene in many number formats looks alike."""

import numpy as np
import pytest
from PIL import Image

from pipeline.core.errors import DataError
from pipeline.data.images import decoding
from pipeline.data.images.pixel_rule import PixelRule
from tests.helpers.deep_images import BASE, G12, png, tiff
from tests.helpers.samples import encoded

HOUNSFIELD = BASE.astype(np.int16) * 8 - 1000
SCENES = {
    "12 bits in 16, PNG": (png(G12), "12 bits"),
    "12 bits in 16, TIFF": (tiff(G12), "12 bits"),
    "12 bits in 16, big-endian TIFF": (tiff(G12, big=1), "12 bits"),
    "10 bits in 16": (png(BASE.astype(np.uint16) * 4), "10 bits"),
    "16 bits": (png(G12 * 16), "full"),
    "16 bits, lowest is white": (tiff(65535 - G12 * 16, photometric=0), "full"),
    "12 bits, lowest is white": (tiff(4095 - G12, photometric=0), "12 bits"),
    "colours of 12 bits": (png(np.stack([G12] * 3, axis=-1), 2), "12 bits"),
    "colours of 12 bits with alpha": (png(np.stack([*[G12] * 3, np.full_like(G12, 65535)], axis=-1), 6), "12 bits"),
    "grey of 12 bits with alpha": (png(np.stack([G12, np.full_like(G12, 65535)], axis=-1), 4), "12 bits"),
    "Hounsfield units, int16": (tiff(HOUNSFIELD), (-1000, 1040)),
    "Hounsfield units, float": (tiff(HOUNSFIELD.astype(np.float32)), (-1000, 1040)),
    "int32": (tiff(HOUNSFIELD.astype(np.int32)), (-1000, 1040)),
    "uint32": (tiff(BASE.astype(np.uint32) << 24), (0, 255 << 24)),
    "float 0 to 255": (tiff(BASE.astype(np.float32)), (0, 255)),
    "float 0 to 1": (tiff((BASE / 255).astype(np.float32)), "full"),
}


@pytest.mark.parametrize("scene", SCENES)
def test_a_scene_looks_alike_in_every_number_format(scene):
    data, intensity = SCENES[scene]
    decoded = decoding.decode(data, PixelRule(intensity))
    assert decoded.misfit == ""
    assert np.abs(decoded.pixels - BASE[..., None].astype(int)).max() <= 1


@pytest.mark.parametrize("kind", [np.float16, np.float64, np.uint64])
def test_numbers_that_are_not_read_are_named(kind):
    with pytest.raises(DataError, match="is a TIFF whose kind of numbers is not read"):
        decoding.decode(tiff(BASE.astype(kind)), PixelRule("full"))


def test_16_bits_from_0_to_65535_are_the_default():
    data = png(G12 * 16)
    assert np.array_equal(decoding.decode(data).pixels, decoding.decode(data, PixelRule("full")).pixels)


@pytest.mark.parametrize(
    ("values", "intensity", "expected"),
    [
        (BASE, "12 bits", "holds 8 bits, shown as they are; the others have 12 bits"),
        (BASE.astype(np.uint16), "16 bits", "a small part of 16 bits"),
        (G12 * 16, "12 bits", "outside of 12 bits (0 to 4095): they are cut off"),
        (HOUNSFIELD + 9000, "lung", "all of them outside of lung (-1350 to 150)"),
        ((BASE / 255).astype(np.float32), (-1000, 400), "a small part of -1000 to 400"),
    ],
)
def test_what_does_not_fit_the_rule_is_named(values, intensity, expected):
    assert expected in decoding.decode(tiff(values), PixelRule(intensity)).misfit


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (png(G12), "nearly black of 65535: set read.intensity"),
        (png(np.stack([G12] * 3, axis=-1), 2), "16-bit colours that are nearly black"),
        (tiff(HOUNSFIELD), "only 0 to 65535 are shown"),
        (tiff(BASE.astype(np.float32)), "stretched by its own maximum"),
        (encoded(Image.fromarray(G12 * 16), "TIFF", tiffinfo={262: 0}), "shown as a negative: set read.intensity"),
        (png(G12 * 16), ""),
        (tiff(BASE), ""),
    ],
)
def test_without_a_rule_dark_images_are_named(data, expected):
    misfit = decoding.decode(data).misfit
    assert expected in misfit
    assert bool(misfit) == bool(expected)


def test_8_bits_are_shown_as_they_are_under_any_rule():
    for intensity in ("12 bits", "full", "lung", (-5, 7)):
        assert np.array_equal(decoding.decode(tiff(BASE), PixelRule(intensity)).pixels, BASE[..., None].repeat(3, 2))


def test_no_number_is_black_under_a_window():
    values = BASE.astype(np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    decoded = decoding.decode(tiff(values), PixelRule((0, 255)))
    assert not decoded.pixels[0, :3].any()
    assert decoded.misfit == ""
