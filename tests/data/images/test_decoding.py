"""Bytes become pixels the same way for every format, or are refused with a text that says what to do."""

import os
import random
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from pipeline.core.errors import DataError
from pipeline.data.images import decoding, squares
from pipeline.data.images.limits import FORMATS
from tests.helpers.deep_images import pixels
from tests.helpers.samples import ROOT, encoded, noise

LOSSLESS = {"PNG": {}, "BMP": {}, "TIFF": {}, "WEBP": {"lossless": True, "exact": True}}


def with_orientation(value: object, **tags: object) -> Image.Exif:
    """Return an EXIF block with the tag Orientation."""
    exif = Image.Exif()
    exif[0x0112] = value
    for tag, content in tags.items():
        exif[int(tag[1:], 16)] = content
    return exif


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "BMP", "TIFF", "WEBP"])
def test_every_accepted_format_gives_rgb_and_its_facts(file_format):
    photo = decoding.decode(encoded(noise(), file_format))
    assert (photo.width, photo.height, photo.mode, photo.format) == (60, 40, "RGB", file_format)
    assert photo.pixels.shape == (40, 60, 3)
    assert photo.pixels.dtype == np.uint8


@pytest.mark.parametrize("file_format", LOSSLESS)
def test_equal_pixels_have_one_id_in_every_lossless_format(file_format):
    photo = decoding.decode(encoded(noise(), file_format, **LOSSLESS[file_format]))
    assert np.array_equal(photo.pixels, np.asarray(noise()))
    assert photo.id == decoding.decode(encoded(noise())).id


def test_an_id_is_16_hex_digits_and_depends_on_shape():
    wide, high = (decoding.decode(encoded(Image.new("RGB", size))) for size in ((40, 20), (20, 40)))
    assert wide.id != high.id
    assert len(wide.id) == 16
    assert set(wide.id) <= set("0123456789abcdef")


@pytest.mark.parametrize("size", [(60, 40), (1500, 1000), (897, 2000)], ids=["small", "drafted", "narrow"])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_decoded_jpeg_saved_as_png_keeps_its_id(mode, size):
    photo = decoding.decode(encoded(noise(1, *size).convert(mode), "JPEG"))
    assert decoding.decode(encoded(Image.fromarray(photo.pixels))).id == photo.id


def test_a_large_jpeg_decoded_small_keeps_its_size():
    photo = decoding.decode(encoded(noise(1, 1500, 1000), "JPEG"))
    assert photo.pixels.shape == (500, 750, 3)
    assert (photo.width, photo.height) == (1500, 1000)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("value", range(1, 9))
def test_exif_orientation_is_applied_once(value, file_format):
    steps = {
        1: [], 2: [Image.Transpose.FLIP_LEFT_RIGHT], 3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM], 5: [Image.Transpose.ROTATE_270, Image.Transpose.FLIP_LEFT_RIGHT],
        6: [Image.Transpose.ROTATE_270], 7: [Image.Transpose.ROTATE_90, Image.Transpose.FLIP_LEFT_RIGHT],
        8: [Image.Transpose.ROTATE_90],
    }[value]  # fmt: skip
    options = LOSSLESS.get(file_format, {})
    stored = Image.fromarray(pixels(noise(), file_format, **options))
    for step in steps:
        stored = stored.transpose(step)
    photo = decoding.decode(encoded(noise(), file_format, exif=with_orientation(value), **options))
    assert np.array_equal(photo.pixels, np.asarray(stored))
    assert (photo.width, photo.height) == stored.size


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_upright(value):
    assert np.array_equal(pixels(noise(), exif=with_orientation(value)), np.asarray(noise()))


def test_a_damaged_exif_block_does_not_cost_the_image():
    stored = encoded(noise(), exif=with_orientation(6, x010e="a long description", x011a=72.0))
    offset = stored.index(b"eXIf")
    length = struct.unpack(">I", stored[offset - 4 : offset])[0]
    rnd = random.Random(3)
    for _ in range(150):
        block = bytearray(stored[offset + 4 : offset + 4 + length])
        for _ in range(rnd.choice((1, 3, 9))):
            block[rnd.randrange(length)] = rnd.randrange(256)
        chunk = b"eXIf" + bytes(block)
        damaged = stored[:offset] + chunk + struct.pack(">I", zlib.crc32(chunk)) + stored[offset + 8 + length :]
        assert sorted(decoding.decode(damaged).pixels.shape) == [3, 40, 60]


def test_a_palette_gives_its_colours():
    image = noise().quantize(16)
    assert np.array_equal(pixels(image), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("mode", ["L", "1"])
def test_grey_and_1_bit_give_three_equal_channels(mode):
    image = noise().convert(mode)
    decoded = pixels(image)
    assert np.array_equal(decoded[..., 0], np.asarray(image.convert("L")))
    assert (decoded == decoded[..., :1]).all()


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_cmyk_gives_the_colours_and_not_their_negative(file_format):
    red = Image.new("RGB", (40, 40), (220, 30, 30))
    assert np.abs(pixels(red.convert("CMYK"), file_format).astype(int) - [220, 30, 30]).max() <= 4


def test_transparency_is_laid_over_black():
    image = noise().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    alpha = np.asarray(image)[..., 3:] / 255
    assert np.abs(pixels(image) - np.asarray(noise()) * alpha).max() <= 1


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_fully_transparent_is_black_whatever_its_hidden_colour(mode):
    image = Image.new("RGB", (40, 40), (200, 200, 200)).convert(mode)
    image.putalpha(0)
    assert not pixels(image).any()


@pytest.mark.parametrize("mode", ["P", "L", "RGB", "1"])
def test_a_transparent_colour_is_black(mode):
    image = Image.new("RGB", (40, 40), (255, 255, 255)).convert(mode)
    colour = image.getpixel((0, 0))
    assert not pixels(image, transparency=colour).any()


def test_a_phone_jpeg_with_a_preview_behind_it_is_accepted():
    data = encoded(noise(), "MPO", save_all=True, append_images=[noise(1)])
    assert decoding.decode(data).format == "MPO"
    assert np.array_equal(decoding.decode(data).pixels, pixels(noise(), "JPEG"))


# the header alone


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_header_says_what_decoding_says(tmp_path, file_format):
    (tmp_path / "image").write_bytes(encoded(noise(0, 70, 30), file_format))
    photo = decoding.decode((tmp_path / "image").read_bytes())
    expected = (photo.width, photo.height, photo.mode, photo.format)
    assert decoding.read_header(tmp_path / "image") == expected == (70, 30, "RGB", file_format)


def test_a_header_is_read_without_the_pixels_behind_it(tmp_path):
    data = encoded(noise(0, 200, 200))
    (tmp_path / "half.png").write_bytes(data[: len(data) // 2])
    assert decoding.read_header(tmp_path / "half.png") == (200, 200, "RGB", "PNG")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", r"not a readable image \(0 bytes\)"),
        (b"text", "expected one of JPEG"),
        (bytes(128) + b"DICM" + bytes(400), "a DICOM file without pixels"),
        (bytes(344) + b"n+1\0" + bytes(400), "a NIfTI volume: export"),
        (encoded(noise(0, 1, 1)), "is 1x1 px; at least 16 px"),
        (encoded(noise(), "WEBP", save_all=True, append_images=[noise(1)]), "has 2 frames; export one frame"),
    ],
    ids=["empty", "text", "dicom", "nifti", "small", "animated"],
)
def test_a_header_is_refused_for_what_decoding_refuses(tmp_path, data, text):
    (tmp_path / "image").write_bytes(data)
    with pytest.raises(DataError, match=text):
        decoding.read_header(tmp_path / "image")


def test_random_damage_gives_an_image_or_a_data_error():
    rnd = random.Random(0)
    small = noise(0, 24, 20)
    whole = [encoded(small, name) for name in FORMATS]
    whole += [encoded(small, "JPEG", exif=with_orientation(6)), encoded(small.quantize(16), "PNG")]
    whole += [encoded(small.convert(mode), "PNG") for mode in ("LA", "RGBA", "1")]
    whole += [encoded(small, "JPEG", progressive=True), encoded(small.convert("CMYK"), "JPEG")]
    outcomes = {"image": 0, "error": 0}
    for _ in range(600):
        data = bytearray(rnd.choice(whole))
        for _ in range(rnd.choice((1, 2, 8, 30))):
            data[rnd.randrange(rnd.choice((60, len(data))))] = rnd.randrange(256)
        if rnd.random() < 0.3:
            del data[rnd.randrange(len(data)) :]
        try:
            photo = decoding.decode(bytes(data))
        except DataError:
            outcomes["error"] += 1
        else:
            outcomes["image"] += 1
            assert photo.pixels.ndim == 3
            assert squares.resize(photo.pixels).shape == (224, 224, 3)
    assert min(outcomes.values()) > 50


def test_decoding_on_several_threads_raises_no_warning():
    # In a process where every warning is an error, as some users have it: Pillow warns of a cut EXIF block.
    exif = with_orientation(1, x010e="description " * 9).tobytes()[:-90]
    script = (
        "import sys; from concurrent.futures import ThreadPoolExecutor; from pipeline.data.images import decoding, squares\n"
        "import sys; from concurrent.futures import ThreadPoolExecutor; from pipeline.data.images.limits import FORMATS\n"
        "data = sys.stdin.buffer.read()\n"
        "print(len({decoding.decode(data).id} | set(ThreadPoolExecutor(4).map(lambda _: decoding.decode(data).id, range(99)))))"
    )
    data = encoded(noise(), "JPEG", exif=exif)
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], input=data, capture_output=True, cwd=ROOT)
    assert (done.stdout.split(), done.stderr) == ([b"1"], b"")


# features


KINDS = {
    **{mode: encoded(noise(1, 90, 70).convert(mode)) for mode in ("RGB", "L", "LA", "RGBA", "P", "1")},
    "cmyk": encoded(noise(1, 90, 70).convert("CMYK"), "JPEG"),
    "drafted": encoded(noise(1, 2000, 1500), "JPEG"),
    "rotated": encoded(noise(1, 90, 70), exif=with_orientation(6)),
    "transparent colour": encoded(noise(1, 90, 70).convert("P"), transparency=3),
    "16 bit": encoded(Image.fromarray(np.random.default_rng(1).integers(0, 65536, (70, 90), dtype=np.uint16))),
    "floats": encoded(Image.fromarray(np.random.default_rng(1).normal(100, 80, (70, 90)).astype(np.float32)), "TIFF"),
    "no numbers": encoded(Image.fromarray(np.full((70, 90), np.inf, np.float32)), "TIFF"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_number_of_bands_changes_no_pixel(kind, monkeypatch):
    whole = decoding.decode(KINDS[kind])
    for band in (1, 200, 91 * 70):
        monkeypatch.setattr(decoding, "BAND", band)
        np.testing.assert_array_equal(decoding.decode(KINDS[kind]).pixels, whole.pixels)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_server_sees_is_what_decoding_and_resizing_gives(kind, monkeypatch):
    expected = squares.resize(decoding.decode(KINDS[kind]).pixels)
    np.testing.assert_array_equal(decoding.square(KINDS[kind]), expected)
    monkeypatch.setattr(decoding, "LARGE", 1)
    np.testing.assert_array_equal(decoding.square(KINDS[kind]), expected)


PEAK = """
import resource, sys
from concurrent.futures import ThreadPoolExecutor
from pipeline.data.images import decoding, squares
from pipeline.data.images.limits import FORMATS
from pipeline.data.images import decoding
data = open(sys.argv[1], "rb").read()
decoding.square(open(sys.argv[2], "rb").read())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with ThreadPoolExecutor(2) as pool:
    list(pool.map(decoding.square, [data] * 2))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / decoding.LARGE)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has another unit elsewhere")
@pytest.mark.parametrize(("mode", "most"), [("RGB", 6), ("RGBA", 12), ("I;16", 10)])
def test_two_large_images_take_the_memory_of_one(tmp_path, mode, most):
    """In bytes a pixel: Pillow's own are 4 in and 4 out; converting 16 bits all at once took 25, for each thread."""
    (tmp_path / "large.png").write_bytes(encoded(Image.new(mode, (3200, 2600)), compress_level=1))
    (tmp_path / "small.png").write_bytes(encoded(Image.new(mode, (64, 64))))
    command = [sys.executable, "-c", PEAK, "large.png", "small.png"]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < most
