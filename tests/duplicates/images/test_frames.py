"""Whole frames are compared by what survives degradation, whatever the flip, and different images stay apart."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from pipeline.duplicates.images.frames import (
    FLIPS,
    both_ways,
    boxes,
    cosines,
    flip,
    frame_of,
    noise_level,
    pair_cosines,
    parts_of,
    whiten,
)
from tests.helpers.textures import texture

pytestmark = pytest.mark.filterwarnings("error")


def pixels(image):
    return np.asarray(image.convert("RGB"))


def noisy(image, sigma):
    return np.clip(pixels(image) + np.random.default_rng(0).normal(0, sigma, (*image.size[::-1], 3)), 0, 255).astype(
        np.uint8
    )


@pytest.mark.parametrize("which", range(8))
@pytest.mark.parametrize("kind", ["frequencies", "relief"])
def test_the_vectors_of_a_flipped_image_are_flipped(which, kind):
    image = pixels(texture(5))
    flipped = np.stack([flip(image[:, :, channel], which) for channel in range(3)], axis=2)
    own, other = (getattr(frame_of(array), kind) for array in (image, flipped))
    order, signs = FLIPS[len(own)]
    assert own[order[which]] * signs[which] @ other > 0.98


@pytest.mark.parametrize("length", FLIPS)
def test_cosines_by_parts_are_those_of_eight_flips(length):
    rng = np.random.default_rng(length)
    rows, others = (rng.normal(size=(n, length)).astype(np.float32) for n in (5, 7))
    order, signs = FLIPS[length]
    expected = np.max(
        [np.abs(rows[:, moved] * sign @ others.T) for moved, sign in zip(order, signs, strict=True)], axis=0
    )
    prepared = both_ways(rows), parts_of(others)
    assert cosines(*prepared) == pytest.approx(expected, rel=1e-4)
    pairs = np.argwhere(expected > np.median(expected))
    assert pair_cosines(*prepared, pairs) == pytest.approx(expected[tuple(pairs.T)], rel=1e-4)


def test_a_degraded_copy_stands_out_from_all_others():
    images = [pixels(texture(seed)) for seed in range(30)]
    degraded = [
        pixels(texture(3).filter(ImageFilter.GaussianBlur(6))),
        noisy(texture(4), 50),
        pixels(texture(5).point(lambda level: 255 - level)),
        pixels(texture(6).transpose(Image.Transpose.ROTATE_90).point(lambda level: level // 5)),
    ]
    frames = [frame_of(array) for array in images + degraded]
    whitened = whiten(np.array([frame.frequencies for frame in frames]), np.array([frame.noise for frame in frames]))
    alike = cosines(both_ways(whitened[30:]), parts_of(whitened[:30]))
    assert alike.argmax(axis=1).tolist() == [3, 4, 5, 6]
    assert alike.max(axis=1).min() > 0.95
    assert np.sort(alike, axis=1)[:, -2].max() < 0.8


def test_boxes_of_one_colour_are_found_and_nothing_else():
    grey = np.random.default_rng(0).normal(128, 15, (144, 144)).astype(np.uint8)
    assert not boxes(grey).any()
    grey[20:50, 30:70] = 0
    boxed = boxes(grey)
    assert boxed[20:50, 30:70].mean() > 0.95
    assert boxed.sum() < 1.4 * 30 * 40


def test_the_level_of_noise_is_measured():
    noise = np.random.default_rng(0).normal(128, 20, (120, 160)).round().astype(np.uint8)
    assert noise_level(noise) == pytest.approx(20, rel=0.05)
    assert noise_level(np.full((21, 31), 7, np.uint8)) == 0
