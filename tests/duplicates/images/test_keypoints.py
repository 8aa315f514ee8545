"""Points lie where a copy has them, too, and never in a frame."""

import numpy as np
import pytest
from PIL import Image

from pipeline.duplicates.images.keypoints import AREA, POINTS, detect, find_points, frame
from tests.helpers.textures import texture

pytestmark = pytest.mark.filterwarnings("error")


def points_of(image):
    return find_points(np.asarray(image.convert("RGB")))


def test_points_lie_inside_and_are_limited_in_number():
    result = points_of(texture(1))
    assert 100 <= len(result.xy) <= POINTS
    assert result.descriptors.shape == (len(result.xy), 128)
    height, width = result.grey.shape
    assert ((result.xy >= 0) & (result.xy < [width, height])).all()


def test_images_are_scaled_to_one_size():
    for size in ((1600, 1200), (80, 60), (16, 16)):
        grey = points_of(texture(1).resize(size)).grey
        assert grey.size == pytest.approx(AREA, rel=0.02)


def test_mirrored_points_share_a_descriptor_and_are_marked():
    grey = np.asarray(texture(3).convert("L"))
    whole = np.zeros(grey.shape, bool)
    xy, descriptors, side = detect(grey, whole)
    xy_mirrored, mirrored, other_side = detect(np.ascontiguousarray(grey[:, ::-1]), whole)
    there = np.array([grey.shape[1] - 1, 0]) + xy * [-1, 1]
    distance = np.linalg.norm(there[:, None] - xy_mirrored[None], axis=2)
    partner, close = distance.argmin(axis=1), distance.min(axis=1) < 1
    assert close.mean() > 0.6
    gap = np.linalg.norm(descriptors.astype(float) - mirrored[partner], axis=1)[close]
    any_two = np.linalg.norm(descriptors.astype(float) - descriptors[::-1], axis=1)
    assert np.median(gap) < 0.3 * np.median(any_two)
    assert (side[close] != other_side[partner][close]).mean() > 0.8


@pytest.mark.parametrize("colour", ["black", "white", (90, 90, 90)])
def test_the_frame_of_a_rotated_image_is_no_content(colour):
    rotated = texture(2, contrast=0.5).rotate(17, Image.Resampling.BICUBIC, expand=True, fillcolor=colour)
    result = points_of(rotated)
    assert int(result.content.sum()) == pytest.approx(AREA, rel=0.1)
    assert result.content[0, 0] == 0
    inside = result.content[result.xy[:, 1].astype(int), result.xy[:, 0].astype(int)]
    assert inside.all()


def test_an_image_without_a_frame_is_all_content():
    assert not frame(np.asarray(texture(4, contrast=0.5).convert("L"))).any()


def test_an_empty_image_has_no_points():
    assert len(points_of(Image.new("RGB", (200, 150), "grey")).xy) == 0


@pytest.mark.parametrize("size", [(16, 16), (16, 3000), (3000, 16), (2400, 1800)])
def test_any_shape_of_image_will_do(size):
    result = points_of(texture(5).resize(size))
    assert min(result.grey.shape) >= 8
    assert result.grey.size <= 1.1 * AREA
