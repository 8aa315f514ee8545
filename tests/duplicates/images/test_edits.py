"""The description of an edit names what changed between two images."""

import numpy as np
import pytest
from PIL import ImageDraw

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
