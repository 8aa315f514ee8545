"""More than 8 bits become 0..255 by the rule of the data set: one scene in many number formats looks alike."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from pipeline.core.errors import DataError
from pipeline.data import images
from pipeline.data.images import PixelRule
from pipeline.data.images.pixel_rule import NAMED, checked

rng = np.random.default_rng(5)
BASE = rng.integers(10, 250, (40, 60)).astype(np.uint8)
G12 = BASE.astype(np.uint16) * 16 + rng.integers(0, 16, BASE.shape).astype(np.uint16)


def tiff(values: np.ndarray, **tags: int) -> bytes:
    """Return an uncompressed grey TIFF, written by hand: Pillow writes neither int16 nor the white that is the lowest value."""
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    order = ">" if tags.pop("big", 0) else "<"
    entries = {
        256: values.shape[1], 257: values.shape[0], 258: 8 * values.dtype.itemsize, 259: 1,
        262: tags.pop("photometric", 1), 273: 8, 277: 1, 278: values.shape[0], 279: values.nbytes, 339: kind,
    } | {int(tag[1:]): value for tag, value in tags.items()}  # fmt: skip
    data = values.astype(values.dtype.newbyteorder(order)).tobytes()
    directory = struct.pack(order + "H", len(entries))
    directory += b"".join(struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in sorted(entries.items()))
    mark = b"MM" if order == ">" else b"II"
    return mark + struct.pack(order + "HI", 42, 8 + len(data)) + data + directory + bytes(4)


def png(values: np.ndarray, colour: int = 0, sbit: bytes = b"") -> bytes:
    """Return a 16-bit PNG of uint16 (height, width) or (height, width, n)."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"sBIT", sbit), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
        if data or kind != b"sBIT"
    )


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
    decoded = images.decode(data, PixelRule(intensity))
    assert decoded.misfit == ""
    assert np.abs(decoded.pixels - BASE[..., None].astype(int)).max() <= 1


@pytest.mark.parametrize("kind", [np.float16, np.float64, np.uint64])
def test_numbers_that_are_not_read_are_named(kind):
    with pytest.raises(DataError, match="is a TIFF whose kind of numbers is not read"):
        images.decode(tiff(BASE.astype(kind)), PixelRule("full"))


def test_deep_colours_in_planes_are_refused():
    """Pillow would read their bytes as values."""
    with pytest.raises(DataError, match="colours lie in separate planes"):
        images.decode(tiff(G12, t284=2))


@pytest.mark.parametrize("how", ["tiff_lzw", "tiff_adobe_deflate"])
def test_compressed_16_bit_tiff_keeps_its_low_bytes(how):
    out = io.BytesIO()
    Image.fromarray(G12).save(out, "TIFF", compression=how)
    decoded = images.decode(out.getvalue(), PixelRule("12 bits"))
    assert np.abs(decoded.pixels - BASE[..., None].astype(int)).max() <= 1


def test_16_bits_from_0_to_65535_are_the_default():
    data = png(G12 * 16)
    assert np.array_equal(images.decode(data).pixels, images.decode(data, PixelRule("full")).pixels)


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
    assert expected in images.decode(tiff(values), PixelRule(intensity)).misfit


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (png(G12), "nearly black of 65535: set read.intensity"),
        (png(np.stack([G12] * 3, axis=-1), 2), "16-bit colours that are nearly black"),
        (tiff(HOUNSFIELD), "only 0 to 65535 are shown"),
        (tiff(BASE.astype(np.float32)), "stretched by its own maximum"),
        (png(G12 * 16), ""),
        (tiff(BASE), ""),
    ],
)
def test_without_a_rule_dark_images_are_named(data, expected):
    misfit = images.decode(data).misfit
    assert expected in misfit
    assert bool(misfit) == bool(expected)


def test_8_bits_are_shown_as_they_are_under_any_rule():
    for intensity in ("12 bits", "full", "lung", (-5, 7)):
        assert np.array_equal(images.decode(tiff(BASE), PixelRule(intensity)).pixels, BASE[..., None].repeat(3, 2))


def test_no_number_is_black_under_a_window():
    values = BASE.astype(np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    decoded = images.decode(tiff(values), PixelRule((0, 255)))
    assert not decoded.pixels[0, :3].any()
    assert decoded.misfit == ""


@pytest.mark.parametrize("intensity", [*NAMED, "full", "file", "8 bits", "12 bits", (-3, 4.5), None])
def test_a_rule_survives_json(intensity):
    rule = PixelRule(checked(intensity), "crop")
    assert PixelRule.from_json(rule.to_json()) == rule


def test_the_default_rule_adds_nothing_to_a_bundle():
    assert PixelRule().to_json() == {}
    assert PixelRule.from_json({"width": 224}) == PixelRule()


@pytest.mark.parametrize(
    "wrong", ["lungs", "12", "99 bits", [1], [4, 4], [5, 1], [0, float("nan")], [0, float("inf")], {}, 7]
)
def test_a_wrong_intensity_is_refused_with_the_choices(wrong):
    with pytest.raises(DataError, match="expected full, file, a number of bits"):
        checked(wrong)


@pytest.mark.parametrize(
    ("how", "inside"),
    [
        ("stretch", (slice(None), slice(None))),
        ("letterbox", (slice(56, 168), slice(None))),
        ("crop", (slice(None), slice(None))),
    ],
)
def test_a_square_keeps_the_aspect_ratio_when_asked(how, inside):
    wide = np.zeros((50, 100, 3), np.uint8)
    wide[:, 25:75] = 200
    square = images.resize(wide, how=how)
    assert square.shape == (224, 224, 3)
    mask = np.zeros((224, 224), bool)
    mask[inside] = True
    assert not square[~mask].any()
    bright = (square[112, :, 0] > 100).mean()
    assert bright == pytest.approx(1 if how == "crop" else 0.5, abs=0.01)


def test_a_tall_image_gets_borders_at_its_sides():
    square = images.resize(np.full((300, 30, 3), 200, np.uint8), how="letterbox")
    assert (square[112] > 100).any(axis=-1).sum() == 22
    assert square[0].any()
