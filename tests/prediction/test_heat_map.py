"""The map lies over the part of the image that the model saw."""

import numpy as np
import pytest

from app import theme
from pipeline.prediction import heat_map

GREY = np.full((224, 224, 3), 128, np.uint8)


def corners() -> np.ndarray:
    """Return a map that supports at the top left and opposes, half as much, at the bottom right."""
    heat = np.zeros((7, 7))
    heat[1, 1], heat[5, 5] = 2.0, -1.0
    return heat


def test_the_overlay_is_yellow_for_and_cyan_against():
    shown = heat_map.overlay(GREY, corners()).astype(int)
    assert shown[48, 48, 0] > shown[48, 48, 2] + 60
    assert shown[176, 176, 2] > shown[176, 176, 0] + 60
    assert shown[48, 176].tolist() == [128, 128, 128]


@pytest.mark.parametrize("opaque", [0, 0.7])
def test_zeros_or_no_opacity_leave_the_image_as_it_is(opaque):
    image = np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype=np.uint8)
    heat = np.zeros((7, 7)) if opaque else corners()
    np.testing.assert_array_equal(heat_map.overlay(image, heat, opaque=opaque), image)


@pytest.mark.parametrize(("how", "expected_row"), [("stretch", 21), ("letterbox", 0)])
def test_a_wide_image_gets_its_part_of_the_map(how, expected_row):
    image = np.full((100, 200, 3), 128, np.uint8)
    strength = np.abs(heat_map.overlay(image, corners(), how).astype(int) - 128).sum(axis=2)
    row, column = np.unravel_index(strength.argmax(), strength.shape)
    assert abs(row - expected_row) < 12
    assert abs(column - 42) < 12


def test_of_a_cropped_image_the_middle_is_shown():
    image = np.arange(20 * 40 * 3, dtype=np.uint8).reshape(20, 40, 3)
    np.testing.assert_array_equal(heat_map.seen(image, "crop"), image[:, 10:30])
    assert heat_map.seen(image, "stretch") is image


def test_the_colours_are_none_of_the_classes():
    marks = [tuple(int(mark[k : k + 2], 16) for k in (1, 3, 5)) for mark in theme.MARKS]
    for colour in (heat_map.FOR, heat_map.AGAINST):
        assert min(np.linalg.norm(np.subtract(colour, mark)) for mark in marks) > 90
