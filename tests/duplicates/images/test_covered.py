"""A copy that is partly covered agrees in the blocks that are left; two images do not."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from pipeline.duplicates.images.covered import compare_blocks, detail_of
from pipeline.duplicates.images.keypoints import find_points
from tests.helpers.textures import texture

pytestmark = pytest.mark.filterwarnings("error")


def detail(image):
    points = find_points(np.asarray(image.convert("RGB")))
    return detail_of(points.grey, points.content)


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


@pytest.mark.parametrize("frame", ["padded", "letterbox", "white", "round"])
def test_frames_of_one_shape_are_not_what_images_show(frame):
    images = [texture(seed) for seed in range(20, 30)]
    if frame == "round":
        lens = Image.new("L", images[0].size)
        ImageDraw.Draw(lens).ellipse((20, 5, 180, 145), fill=255)
        framed = [Image.composite(image, Image.new("RGB", image.size), lens) for image in images]
    else:
        border = {"padded": (30, 30, 30, 30), "letterbox": (0, 40, 0, 40), "white": (25, 25, 25, 25)}[frame]
        framed = [ImageOps.expand(image, border, "white" if frame == "white" else "black") for image in images]
    details = [detail(image) for image in framed]
    assert not [1 for i, a in enumerate(details) for b in details[:i] if compare_blocks(a, b).agree]
    assert compare_blocks(detail(framed[0]), detail(covered(framed[0].copy()))).agree
