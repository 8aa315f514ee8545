"""Files that need no intensity rule decode as they always did: the ids of drawn files, bit by bit."""

import numpy as np
import pytest
from PIL import Image

from pipeline.data.images import decoding
from pipeline.data.images.decoding import DecodedImage
from tests.helpers.deep_images import png
from tests.helpers.samples import encoded

Y, X = np.mgrid[0:48, 0:64]
GREY = ((X * 5 + Y * 3) % 256).astype(np.uint8)
RGB = np.stack([GREY, GREY[::-1], (X * Y % 256).astype(np.uint8)], axis=-1)
ALPHA = np.dstack([RGB, (X * 4).astype(np.uint8)])
DEEP = (X * 1000 + Y * 37).astype(np.uint16)


def transparent_palette() -> bytes:
    """Return a PNG with a palette of which entries are transparent."""
    return encoded(Image.fromarray(RGB).quantize(16), "PNG", transparency=bytes(range(0, 256, 16)))


def rotated() -> bytes:
    """Return a JPEG that EXIF says to turn."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(Image.fromarray(RGB), "JPEG", exif=exif)


FILES = {
    "png-grey": encoded(Image.fromarray(GREY), "PNG"),
    "png-rgb": encoded(Image.fromarray(RGB), "PNG"),
    "png-rgba": encoded(Image.fromarray(ALPHA), "PNG"),
    "png-grey-alpha": encoded(Image.fromarray(ALPHA).convert("LA"), "PNG"),
    "png-1-bit": encoded(Image.fromarray(GREY > 99), "PNG"),
    "png-4-bits": encoded(Image.fromarray(GREY // 16).quantize(16), "PNG", bits=4),
    "png-palette": encoded(Image.fromarray(RGB).quantize(200), "PNG"),
    "png-transparent-palette": transparent_palette(),
    "png-16": encoded(Image.fromarray(DEEP), "PNG"),
    "png-16-rgb": png(np.stack([DEEP, DEEP[::-1], DEEP // 3], axis=-1), 2),
    "png-16-rgba": png(np.stack([DEEP, DEEP[::-1], DEEP // 3, DEEP], axis=-1), 6),
    "png-16-grey-alpha": png(np.stack([DEEP, DEEP[::-1]], axis=-1), 4),
    "bmp": encoded(Image.fromarray(RGB), "BMP"),
    "tiff-rgb": encoded(Image.fromarray(RGB), "TIFF"),
    "tiff-lzw": encoded(Image.fromarray(RGB), "TIFF", compression="tiff_lzw"),
    "tiff-cmyk": encoded(Image.fromarray(RGB).convert("CMYK"), "TIFF"),
    "tiff-lab": encoded(Image.fromarray(RGB).convert("YCbCr"), "TIFF"),
    "tiff-min-is-white": encoded(Image.fromarray(GREY), "TIFF", tiffinfo={262: 0}),
    "tiff-16": encoded(Image.fromarray(DEEP), "TIFF"),
    "tiff-int32": encoded(Image.fromarray(DEEP.astype(np.int32)), "TIFF"),
    "tiff-float-0-1": encoded(Image.fromarray(GREY.astype(np.float32) / 255), "TIFF"),
    "tiff-float-0-255": encoded(Image.fromarray(GREY.astype(np.float32)), "TIFF"),
    "tiff-float-signed": encoded(Image.fromarray(GREY.astype(np.float32) - 90), "TIFF"),
    "jpeg-grey": encoded(Image.fromarray(GREY), "JPEG"),
    "jpeg-rgb": encoded(Image.fromarray(RGB), "JPEG"),
    "jpeg-cmyk": encoded(Image.fromarray(RGB).convert("CMYK"), "JPEG"),
    "jpeg-large": encoded(Image.fromarray(np.tile(RGB, (30, 30, 1))), "JPEG"),
    "jpeg-rotated": rotated(),
    "webp": encoded(Image.fromarray(RGB), "WEBP", lossless=True),
    "png-grey-transparent-value": encoded(Image.fromarray(GREY), "PNG", transparency=100),
    "png-rgb-transparent-colour": encoded(Image.fromarray(RGB), "PNG", transparency=(0, 141, 0)),
    "bmp-grey": encoded(Image.fromarray(GREY), "BMP"),
    "bmp-1-bit": encoded(Image.fromarray(GREY > 99), "BMP"),
    "bmp-palette": encoded(Image.fromarray(RGB).quantize(200), "BMP"),
    "bmp-rgba": encoded(Image.fromarray(ALPHA), "BMP"),
    "tiff-grey": encoded(Image.fromarray(GREY), "TIFF"),
    "tiff-1-bit": encoded(Image.fromarray(GREY > 99), "TIFF"),
    "tiff-palette": encoded(Image.fromarray(RGB).quantize(200), "TIFF"),
    "tiff-rgba": encoded(Image.fromarray(ALPHA), "TIFF"),
    "tiff-packbits": encoded(Image.fromarray(RGB), "TIFF", compression="packbits"),
    "tiff-deflate-16": encoded(Image.fromarray(DEEP), "TIFF", compression="tiff_adobe_deflate"),
    "tiff-jpeg": encoded(Image.fromarray(RGB), "TIFF", compression="jpeg"),
    "tiff-16-big-endian": encoded(Image.fromarray(DEEP.astype(">u2")), "TIFF"),
    "tiff-16-min-is-white": encoded(Image.fromarray(DEEP), "TIFF", tiffinfo={262: 0}),
    "tiff-int16": encoded(Image.fromarray(DEEP), "TIFF", tiffinfo={339: 2}),
    "jpeg-progressive": encoded(Image.fromarray(RGB), "JPEG", progressive=True),
    "mpo": encoded(Image.fromarray(RGB), "MPO", save_all=True, append_images=[Image.fromarray(RGB[::-1])]),
    "webp-lossy": encoded(Image.fromarray(RGB), "WEBP", quality=70),
    "webp-alpha": encoded(Image.fromarray(ALPHA), "WEBP", lossless=True),
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
    "png-grey-transparent-value": "45188fbfd1f32f59",
    "png-rgb-transparent-colour": "32407bd5ea51e184",
    "bmp-grey": "df9ea900b70e07a3",
    "bmp-1-bit": "06171ff6720261c2",
    "bmp-palette": "391e6987ef158f73",
    "bmp-rgba": "1e1af36a4a4d2c80",
    "tiff-grey": "df9ea900b70e07a3",
    "tiff-1-bit": "06171ff6720261c2",
    "tiff-palette": "391e6987ef158f73",
    "tiff-rgba": "35af4c6a0328fc0a",
    "tiff-packbits": "1e1af36a4a4d2c80",
    "tiff-deflate-16": "20fe495d9a2218e7",
    "tiff-jpeg": "815a19e3aef137c9",
    "tiff-16-big-endian": "20fe495d9a2218e7",
    "tiff-16-min-is-white": "20fe495d9a2218e7",
    "tiff-int16": "5dca1b32d754b417",
    "jpeg-progressive": "7ac49d862a3f7df3",
    "mpo": "7ac49d862a3f7df3",
    "webp-lossy": "aafff5b40fe4fb51",
    "webp-alpha": "35af4c6a0328fc0a",
}
N_OF_SQUARES, SQUARES = 29, "d35885068e86374d"


@pytest.mark.parametrize("name", FILES)
def test_pixels_are_those_of_the_first_release(name):
    assert decoding.decode(FILES[name]).id == IDS[name]


def test_squares_are_those_of_the_first_release():
    squares = np.concatenate([decoding.square(data) for data in list(FILES.values())[:N_OF_SQUARES]])
    assert DecodedImage(0, 0, "RGB", "PNG", pixels=squares).id == SQUARES
