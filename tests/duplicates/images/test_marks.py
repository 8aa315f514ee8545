"""Burnt-in marks are measured where they stand, bright areas are no marks."""

import numpy as np

from pipeline.duplicates.images.marks import measure_marks


def test_a_mark_is_measured_in_its_cell():
    pixels = np.full((128, 64, 3), 90, np.uint8)
    pixels[4:12, 2:4] = 255
    marks = measure_marks(pixels).reshape(8, 8)
    assert marks[0, 0] == 16 / 128
    assert np.count_nonzero(marks) == 1


def test_a_white_background_and_saturated_colours_are_no_marks():
    pixels = np.full((80, 80, 3), 255, np.uint8)
    assert measure_marks(pixels).max() == 0
    pixels[:] = (255, 255, 0)
    assert measure_marks(pixels).max() == 0


def test_a_tiny_image_is_measured_too():
    assert measure_marks(np.zeros((16, 17, 3), np.uint8)).shape == (64,)
