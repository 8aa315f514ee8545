"""Burnt-in text is measured in any colour, even areas, noise and blurred edges are not."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from pipeline.duplicates.images.marks import CELLS, N_MARKS, measure_marks


def tissue(side: int = 160) -> np.ndarray:
    y, x = np.mgrid[0:side, 0:side]
    spot = 80 + 60 * np.exp(-((x - side / 2) ** 2 + (y - side / 2) ** 2) / 1500)
    noise = np.random.default_rng(0).normal(0, 3, (side, side, 1))
    return np.clip(spot[..., None] * [1, 0.8, 0.7] + noise, 0, 255).astype(np.uint8)


def marked(colour: tuple[int, int, int], position: tuple[int, int] = (4, 4)) -> np.ndarray:
    image = Image.fromarray(tissue())
    ImageDraw.Draw(image).text(position, "LAT 7", fill=colour, font=ImageFont.load_default(size=16))
    return np.asarray(image)


@pytest.mark.parametrize("colour", [(255, 255, 255), (200, 200, 200), (255, 230, 0), (0, 0, 0), (60, 20, 250)])
@pytest.mark.parametrize("position", [(4, 4), (90, 110)])
def test_text_of_any_colour_is_measured_anywhere(colour, position):
    plain, with_text = measure_marks(tissue()), measure_marks(marked(colour, position))
    assert plain[:3].max() == 0
    assert with_text[:3].max() > 0.0004
    row, column = (value * CELLS // 160 for value in (position[1] + 8, position[0] + 4))
    assert with_text[3:].reshape(CELLS, CELLS)[row, column] > 0


def test_yellow_text_is_measured_after_jpeg():
    buffer = io.BytesIO()
    Image.fromarray(marked((255, 230, 0))).save(buffer, "JPEG", quality=75)
    assert measure_marks(np.asarray(Image.open(buffer)))[0] > 0.001


def test_text_in_a_large_photo_is_measured():
    assert measure_marks(np.kron(marked((255, 255, 255)), np.ones((8, 8, 1), np.uint8)))[1] > 0.0004


def test_even_areas_and_stained_tissue_are_no_marks():
    assert not measure_marks(np.full((80, 80, 3), 255, np.uint8)).any()
    stained = np.full((80, 80, 3), (240, 235, 240), np.uint8)
    stained[20:60, 20:60] = (170, 60, 160)  # magenta
    assert measure_marks(stained)[0] == 0


def test_a_tiny_image_is_measured_too():
    assert measure_marks(np.zeros((16, 17, 3), np.uint8)).shape == (N_MARKS,)
