"""Images whose pixels stay on disk."""

import pickle
from pathlib import Path

import numpy as np

from pipeline.estimators._images import map_images


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
