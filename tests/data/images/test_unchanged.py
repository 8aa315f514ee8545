"""Files that need no intensity rule decode as they always did: the ids of drawn files, bit by bit."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from pipeline.data.images import decoding
from pipeline.data.images.decoding import DecodedImage

Y, X = np.mgrid[0:48, 0:64]
GREY = ((X * 5 + Y * 3) % 256).astype(np.uint8)
RGB = np.stack([GREY, GREY[::-1], (X * Y % 256).astype(np.uint8)], axis=-1)
ALPHA = np.dstack([RGB, (X * 4).astype(np.uint8)])
DEEP = (X * 1000 + Y * 37).astype(np.uint16)


def saved(image: Image.Image, file_format: str, **options: object) -> bytes:
    """Return an image as the bytes of a file."""
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()


def png(values: np.ndarray, colour: int) -> bytes:
    """Return a 16-bit PNG of uint16 (height, width, n) that is written by hand: Pillow writes none in colour."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, colour, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def transparent_palette() -> bytes:
    """Return a PNG with a palette of which entries are transparent."""
    return saved(Image.fromarray(RGB).quantize(16), "PNG", transparency=bytes(range(0, 256, 16)))


def rotated() -> bytes:
    """Return a JPEG that EXIF says to turn."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(Image.fromarray(RGB), "JPEG", exif=exif)


FILES = {
    "png-grey": saved(Image.fromarray(GREY), "PNG"),
    "png-rgb": saved(Image.fromarray(RGB), "PNG"),
    "png-rgba": saved(Image.fromarray(ALPHA), "PNG"),
    "png-grey-alpha": saved(Image.fromarray(ALPHA).convert("LA"), "PNG"),
    "png-1-bit": saved(Image.fromarray(GREY > 99), "PNG"),
    "png-4-bits": saved(Image.fromarray(GREY // 16).quantize(16), "PNG", bits=4),
    "png-palette": saved(Image.fromarray(RGB).quantize(200), "PNG"),
    "png-transparent-palette": transparent_palette(),
    "png-16": saved(Image.fromarray(DEEP), "PNG"),
    "png-16-rgb": png(np.stack([DEEP, DEEP[::-1], DEEP // 3], axis=-1), 2),
    "png-16-rgba": png(np.stack([DEEP, DEEP[::-1], DEEP // 3, DEEP], axis=-1), 6),
    "png-16-grey-alpha": png(np.stack([DEEP, DEEP[::-1]], axis=-1), 4),
    "bmp": saved(Image.fromarray(RGB), "BMP"),
    "tiff-rgb": saved(Image.fromarray(RGB), "TIFF"),
    "tiff-lzw": saved(Image.fromarray(RGB), "TIFF", compression="tiff_lzw"),
    "tiff-cmyk": saved(Image.fromarray(RGB).convert("CMYK"), "TIFF"),
    "tiff-lab": saved(Image.fromarray(RGB).convert("YCbCr"), "TIFF"),
    "tiff-min-is-white": saved(Image.fromarray(GREY), "TIFF", tiffinfo={262: 0}),
    "tiff-16": saved(Image.fromarray(DEEP), "TIFF"),
    "tiff-int32": saved(Image.fromarray(DEEP.astype(np.int32)), "TIFF"),
    "tiff-float-0-1": saved(Image.fromarray(GREY.astype(np.float32) / 255), "TIFF"),
    "tiff-float-0-255": saved(Image.fromarray(GREY.astype(np.float32)), "TIFF"),
    "tiff-float-signed": saved(Image.fromarray(GREY.astype(np.float32) - 90), "TIFF"),
    "jpeg-grey": saved(Image.fromarray(GREY), "JPEG"),
    "jpeg-rgb": saved(Image.fromarray(RGB), "JPEG"),
    "jpeg-cmyk": saved(Image.fromarray(RGB).convert("CMYK"), "JPEG"),
    "jpeg-large": saved(Image.fromarray(np.tile(RGB, (30, 30, 1))), "JPEG"),
    "jpeg-rotated": rotated(),
    "webp": saved(Image.fromarray(RGB), "WEBP", lossless=True),
}
IDS = {
    "png-grey": "df9ea900b70e07a3",
    "png-rgb": "1e1af36a4a4d2c80",
    "png-rgba": "35af4c6a0328fc0a",
    "png-grey-alpha": "019baac05bb06504",
    "png-1-bit": "06171ff6720261c2",
    "png-4-bits": "9f8a4e2d1a7a6b31",
    "png-palette": "391e6987ef158f73",
    "png-transparent-palette": "9b2d27c243986f7a",
    "png-16": "20fe495d9a2218e7",
    "png-16-rgb": "44a8113a47d22f4a",
    "png-16-rgba": "f56ee2818d711fd2",
    "png-16-grey-alpha": "ea5ed7f7d37df7ad",
    "bmp": "1e1af36a4a4d2c80",
    "tiff-rgb": "1e1af36a4a4d2c80",
    "tiff-lzw": "1e1af36a4a4d2c80",
    "tiff-cmyk": "1e1af36a4a4d2c80",
    "tiff-lab": "5235b77bde9a4801",
    "tiff-min-is-white": "df9ea900b70e07a3",
    "tiff-16": "20fe495d9a2218e7",
    "tiff-int32": "20fe495d9a2218e7",
    "tiff-float-0-1": "df9ea900b70e07a3",
    "tiff-float-0-255": "df9ea900b70e07a3",
    "tiff-float-signed": "b03984ac2a4f166f",
    "jpeg-grey": "2ae80336493fe2e3",
    "jpeg-rgb": "7ac49d862a3f7df3",
    "jpeg-cmyk": "815a19e3aef137c9",
    "jpeg-large": "d7d89c0485d4aa01",
    "jpeg-rotated": "661fe573ddfc250c",
    "webp": "1e1af36a4a4d2c80",
}
SQUARES = "d35885068e86374d"


@pytest.mark.parametrize("name", FILES)
def test_pixels_are_those_of_the_first_release(name):
    assert decoding.decode(FILES[name]).id == IDS[name]


def test_squares_are_those_of_the_first_release():
    squares = np.concatenate([decoding.square(data) for data in FILES.values()])
    assert DecodedImage(0, 0, "RGB", "PNG", pixels=squares).id == SQUARES
