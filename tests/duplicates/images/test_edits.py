"""The description of an edit names what changed between two images."""

import numpy as np
import pytest
from PIL import ImageDraw, ImageFilter, ImageOps

from benchmarks import altered
from pipeline.duplicates.images.edits import REENCODED, describe
from pipeline.duplicates.images.verify import confirm, signature_of
from tests.helpers.textures import texture

EDITS = {
    "re-encoded": lambda image: image,
    "resized": lambda image: image.resize((image.width * 3 // 4, image.height * 3 // 4)),
    "stretched": lambda image: image.resize((image.width * 3 // 4, image.height)),
    "rotated by 180 degrees": lambda image: image.rotate(180),
    "brightness": lambda image: image.point(lambda value: value * 0.7),
    "framed": lambda image: ImageOps.expand(image, 30, "black"),
    "degraded": lambda image: altered.deformed(4)(image, np.random.default_rng(0)),
}


@pytest.mark.parametrize("kind", EDITS)
def test_an_edit_is_named(kind):
    a, b = (signature_of(np.asarray(image), *image.size) for image in (texture(1), EDITS[kind](texture(1))))
    assert describe(a, b, confirm(a, b)) == kind


def test_removed_hair_is_no_new_encoding():
    hairy = texture(1, 600, 450)
    ImageDraw.Draw(hairy).line((300, 100, 320, 200), (20, 15, 10), 4)
    a, b = (signature_of(np.asarray(image), *image.size) for image in (hairy, altered.without_hair(hairy, None)))
    agreed = confirm(a, b)
    assert agreed.coarse_whole >= REENCODED
    assert describe(a, b, agreed) == "degraded"


@pytest.mark.parametrize("quality", [60, 75, 90])
def test_only_the_bytes_of_a_good_jpeg_differ(quality):
    image = texture(1, 600, 450)
    a, b = (signature_of(np.asarray(i), *i.size) for i in (image, altered.compressed(quality)(image, None)))
    assert describe(a, b, confirm(a, b)) == "re-encoded"


@pytest.mark.parametrize("radius", [2, 3])
def test_a_visible_blur_is_no_new_encoding(radius):
    image = texture(1)
    blurred = image.filter(ImageFilter.GaussianBlur(radius))
    a, b = (signature_of(np.asarray(i), *i.size) for i in (image, blurred))
    assert describe(a, b, confirm(a, b)) != "re-encoded"
