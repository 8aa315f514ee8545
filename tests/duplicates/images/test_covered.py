"""A copy that is partly covered agrees in the blocks that are left; two images do not."""

import numpy as np
import pytest
from PIL import ImageDraw, ImageOps

from pipeline.duplicates.images.covered import compare_blocks, detail_of
from tests.helpers.textures import texture

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("one_thread")]


def detail(image):
    return detail_of(np.asarray(image.convert("L")))


def covered(image):
    pen = ImageDraw.Draw(image)
    for box in ((10, 10, 60, 40), (100, 60, 150, 100), (150, 10, 190, 30)):
        pen.rectangle(box, fill="black")
    pen.line((5, 140, 180, 60), fill="white", width=3)
    return image


def test_a_covered_copy_agrees_in_what_is_left():
    blocks = compare_blocks(detail(texture(1)), detail(covered(texture(1))))
    assert (blocks.agree, blocks.copy, blocks.flip, blocks.negative) == (True, True, 0, False)
    assert blocks.share(0.9) < 1


def test_a_covered_mirrored_negative_is_recognised_as_such():
    blocks = compare_blocks(detail(texture(2)), detail(covered(ImageOps.invert(ImageOps.mirror(texture(2))))))
    assert (blocks.agree, blocks.flip, blocks.negative) == (True, 1, True)


def test_different_images_do_not_agree():
    details = [detail(texture(seed)) for seed in range(15)]
    assert not [1 for i, a in enumerate(details) for b in details[:i] if compare_blocks(a, b).agree]
