"""Pixels stay on disk; maps of the frozen blocks for augmented views."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from pipeline.estimators import _network
from pipeline.estimators._augment import augment
from pipeline.estimators._frozen_maps import block_input, frozen_maps, map_images
from tests.helpers.models import KERAS_NOISE, square

pytestmark = [pytest.mark.filterwarnings(KERAS_NOISE), pytest.mark.usefixtures("in_studio")]


def test_frozen_maps_of_all_views_equal_those_of_keras(samples, tmp_path):
    X = map_images(samples[0].embedding, samples[0].pixels, tmp_path)
    maps = frozen_maps(X[np.array([5, 2])], "block_13", 2, 7, "t")
    assert (maps.shape, maps.dtype) == ((24, 2, 14, 14, 96), np.float16)
    model = _network.build(dict(np.load("models/backbone/weights.npz")))
    frozen = _network.import_keras().Model(model.input, block_input(model, "block_13"))
    for row in (0, 23):
        seen = augment(X.pixels[row], 2, np.random.default_rng([7, row]))
        np.testing.assert_allclose(maps[row], np.asarray(frozen(seen, training=False)), rtol=2e-3, atol=2e-3)
    before = [path.stat().st_mtime_ns for path in tmp_path.iterdir()]
    frozen_maps(X, "block_13", 2, 7, "t")
    assert [path.stat().st_mtime_ns for path in tmp_path.iterdir()] == before
    assert len(before) == 1


def test_views_begin_with_the_image_and_depend_on_the_seed():
    image = square(0)
    copy = image.copy()
    first, same, other = (augment(image, 4, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first.shape, first.dtype) == ((4, *image.shape), np.uint8)
    np.testing.assert_array_equal(first, same)
    np.testing.assert_array_equal(first[0], copy)
    np.testing.assert_array_equal(image, copy)
    assert not np.array_equal(first, other)


def test_views_are_rotated_flipped_and_changed_by_a_fifth():
    views = augment(np.full((16, 16, 3), 100, np.uint8), 40, np.random.default_rng(0))
    assert (np.ptp(views, axis=(1, 2, 3)) == 0).all()
    light = views[:, 0, 0, 0].astype(float)
    low, high = (100 - 128) * 1.2 + 128 * 0.8, (100 - 128) * 0.8 + 128 * 1.2
    assert low - 1 <= light.min() < 90 < 115 < light.max() <= high + 1
    marked = np.zeros((8, 8, 3), np.uint8)
    marked[0, 1] = 255
    positions = {tuple(np.argwhere(p[..., 0] == p.max())[0]) for p in augment(marked, 200, np.random.default_rng(0))}
    assert len(positions) == 8


def test_mapped_images_are_pickled_as_a_path(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
    np.save(tmp_path / "pixels.npy", pixels)
    mapped = np.load(tmp_path / "pixels.npy", mmap_mode="r")
    sent = pickle.dumps(map_images(np.zeros((20, 1)), mapped, Path())[np.arange(5, 15)])
    assert len(sent) < pixels.nbytes / 10
    received = pickle.loads(sent)
    np.testing.assert_array_equal(received.pixels[received.rows], pixels[5:15])


def test_indexing_images_copies_no_pixels(samples):
    X, *_ = samples
    part = X[np.array([5, 3])][np.array([1])]
    assert len(part) == 1
    assert part.rows.tolist() == [3]
    assert part.pixels is X.pixels
