"""The description of an edit names what changed between two images."""

import numpy as np
import pytest

from pipeline.duplicates.images.edits import describe
from pipeline.duplicates.images.verify import confirm, signature_of
from tests.helpers.textures import texture

pytestmark = pytest.mark.usefixtures("one_thread")
EDITS = {
    "re-encoded": lambda image: image,
    "resized": lambda image: image.resize((image.width * 3 // 4, image.height * 3 // 4)),
    "stretched": lambda image: image.resize((image.width * 3 // 4, image.height)),
    "rotated by 180 degrees": lambda image: image.rotate(180),
    "brightness": lambda image: image.point(lambda value: value * 0.7),
}


@pytest.mark.parametrize("kind", EDITS)
def test_an_edit_is_named(kind):
    a, b = (signature_of(np.asarray(image), *image.size) for image in (texture(1), EDITS[kind](texture(1))))
    assert describe(a, b, confirm(a, b)) == kind
