"""The model's square, the classical features, and the drawn images."""

import numpy as np
import pytest

from pipeline.data.images import squares
from tests.helpers.samples import noise


@pytest.mark.parametrize("size", [(16, 16), (224, 224), (60, 40), (3000, 17)])
def test_a_resized_image_is_square_and_of_bytes(size):
    square = squares.resize(np.asarray(noise(0, *size)))
    assert square.shape == (224, 224, 3)
    assert square.dtype == np.uint8


def test_resizing_keeps_an_image_of_the_right_size():
    image = np.asarray(noise(0, 224, 224))
    assert np.array_equal(squares.resize(image), image)


def test_shrinking_averages_rather_than_picks():
    board = (np.indices((896, 896)).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, axis=2)
    assert np.abs(squares.resize(board).astype(int) - 127).max() <= 3


@pytest.mark.parametrize("number", range(4))
def test_classical_features_are_320_shares(number):
    features = squares.classical(squares.sample_images()[number])
    assert features.shape == (320,)
    assert features.dtype == np.float32
    assert 0 <= features.min() <= features.max() <= 1
    assert features[:64].sum() == pytest.approx(1)


def test_classical_features_are_colours_and_brightness():
    square = np.zeros((224, 224, 3), np.uint8)
    square[:112, :, 0] = 255
    features = squares.classical(square)
    assert features[[0, 48]].tolist() == [0.5, 0.5]
    grey = features[64:].reshape(16, 16)
    assert grey[:8].min() > 0.25
    assert not grey[8:].any()


def test_the_images_for_self_tests_are_what_a_model_sees():
    for square in squares.sample_images():
        assert square.shape == (224, 224, 3)
        assert square.dtype == np.uint8


@pytest.mark.parametrize(
    ("how", "inside"),
    [
        ("stretch", (slice(None), slice(None))),
        ("letterbox", (slice(56, 168), slice(None))),
        ("crop", (slice(None), slice(None))),
    ],
)
def test_a_square_keeps_the_aspect_ratio_when_asked(how, inside):
    wide = np.zeros((50, 100, 3), np.uint8)
    wide[:, 25:75] = 200
    square = squares.resize(wide, how=how)
    assert square.shape == (224, 224, 3)
    mask = np.zeros((224, 224), bool)
    mask[inside] = True
    assert not square[~mask].any()
    bright = (square[112, :, 0] > 100).mean()
    assert bright == pytest.approx(1 if how == "crop" else 0.5, abs=0.01)


def test_a_tall_image_gets_borders_at_its_sides():
    square = squares.resize(np.full((300, 30, 3), 200, np.uint8), how="letterbox")
    assert (square[112] > 100).any(axis=-1).sum() == 22
    assert square[0].any()
