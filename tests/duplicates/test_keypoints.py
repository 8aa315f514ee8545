"""Points lie where a copy has them, too, and never in a frame."""

import numpy as np
import pytest
from PIL import Image

from pipeline.duplicates.keypoints import AREA, POINTS, detect, find_points, frame
from tests.textures import texture

pytestmark = pytest.mark.filterwarnings("error")


def points_of(image):
    return find_points(np.asarray(image.convert("RGB")))


def test_a_picture_has_points_inside_of_it_and_at_most_so_many():
    found = points_of(texture(1))
    assert 100 <= len(found.xy) <= POINTS
    assert found.descriptors.shape == (len(found.xy), 128)
    height, width = found.grey.shape
    assert ((found.xy >= 0) & (found.xy < [width, height])).all()


def test_a_large_and_a_small_file_are_brought_to_one_size():
    for size in ((1600, 1200), (80, 60), (16, 16)):
        grey = points_of(texture(1).resize(size)).grey
        assert grey.size == pytest.approx(AREA, rel=0.02)


def test_a_point_has_the_same_descriptor_in_the_mirror_and_is_known_to_be_mirrored():
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
def test_the_frame_of_a_turned_picture_is_no_content_and_its_content_keeps_its_size(colour):
    turned = texture(2, contrast=0.5).rotate(17, Image.Resampling.BICUBIC, expand=True, fillcolor=colour)
    found = points_of(turned)
    assert int(found.content.sum()) == pytest.approx(AREA, rel=0.1)
    assert found.content[0, 0] == 0
    inside = found.content[found.xy[:, 1].astype(int), found.xy[:, 0].astype(int)]
    assert inside.all()


def test_a_picture_without_a_frame_is_all_content():
    assert not frame(np.asarray(texture(4, contrast=0.5).convert("L"))).any()


def test_an_empty_picture_has_no_points():
    assert len(points_of(Image.new("RGB", (200, 150), "grey")).xy) == 0


@pytest.mark.parametrize("size", [(16, 16), (16, 3000), (3000, 16), (2400, 1800)])
def test_any_shape_of_picture_will_do(size):
    found = points_of(texture(5).resize(size))
    assert min(found.grey.shape) >= 8
    assert found.grey.size <= 1.1 * AREA
