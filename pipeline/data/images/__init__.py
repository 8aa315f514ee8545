"""From the bytes of an image file to pixels, and to the model's square.

Start with `decoding`. `pixel_rule` is the rule of a data set, `stored_values` applies it to numbers of more than 8 bits, which
`deep` reads through Pillow and `dicom` through pydicom; `proposal` finds a rule for new files. `squares` has the model's input.

Must not change: a pixel of a file without a rule (tests/data/images/test_unchanged.py), because ids, features and models depend
on it.
"""

from pathlib import Path

from pipeline.data.images.decoding import (
    AS_IT_WAS,
    DecodedImage,
    Square,
    decode,
    read_header,
    read_square,
    square,
    upright,
)
from pipeline.data.images.limits import FORMATS, MAX_PIXELS, MIN_SIDE, SUFFIXES
from pipeline.data.images.pixel_rule import PixelRule, rule_of
from pipeline.data.images.squares import SIZE, classical, resize, sample_images, to_png

CODE = tuple(sorted(Path(__file__).parent.glob("*.py")))  # what decides pixels: caches depend on it
PACKAGES = ("numpy", "pillow", "pydicom", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg")
__all__ = [
    "AS_IT_WAS",
    "CODE",
    "FORMATS",
    "MAX_PIXELS",
    "MIN_SIDE",
    "PACKAGES",
    "SIZE",
    "SUFFIXES",
    "DecodedImage",
    "PixelRule",
    "Square",
    "classical",
    "decode",
    "read_header",
    "read_square",
    "resize",
    "rule_of",
    "sample_images",
    "square",
    "to_png",
    "upright",
]
