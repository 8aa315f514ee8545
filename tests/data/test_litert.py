"""An embedder gives every thread the same bits, from a bounded number of interpreters."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pipeline.data import litert
from pipeline.data.images.squares import sample_images


def test_an_embedding_has_the_same_bits_on_every_thread(program):
    squares = sample_images()
    once = np.stack([litert.Embedder(program.read_bytes())(square) for square in squares])
    embedder = litert.Embedder(program.read_bytes())
    with ThreadPoolExecutor(4) as pool:
        result = list(pool.map(embedder, squares * 50))
    np.testing.assert_array_equal(np.stack(result), np.tile(once, (50, 1)))
    assert once.dtype == np.float32
    assert len(np.unique(once, axis=0)) == 4


def test_a_result_survives_the_next_run(program):
    embedder, (first, second, *_) = litert.Embedder(program.read_bytes()), sample_images()
    inference = embedder.run(first, frozen_mean=True, feature_map=True)
    before = [inference.output.copy(), inference.frozen_mean.copy(), inference.feature_map.copy()]
    np.testing.assert_allclose(inference.feature_map.mean(axis=(0, 1)), inference.frozen_mean)
    assert not np.array_equal(embedder.run(second, feature_map=True).feature_map, before[2])
    for kept, array in zip(before, (inference.output, inference.frozen_mean, inference.feature_map), strict=True):
        np.testing.assert_array_equal(array, kept)
    assert not embedder.run(first).feature_map.size


def test_threads_share_a_bounded_number_of_interpreters(program, monkeypatch):
    created = []

    class Counted(litert._Interpreter):
        def __init__(self, data: bytes):
            created.append(self)
            super().__init__(data)

    monkeypatch.setattr(litert, "_Interpreter", Counted)
    embedder, (first, *_) = litert.Embedder(program.read_bytes(), 3), sample_images()
    assert created == []
    for _ in range(5):
        embedder(first)
    assert len(created) == 1
    embedder.warm_up(40)
    assert len(created) == 3
    with ThreadPoolExecutor(40) as pool:
        list(pool.map(embedder, [first] * 400))
    assert len(created) == 3


def test_an_interpreter_serves_on_after_an_image_of_another_shape(program):
    embedder, (first, *_) = litert.Embedder(program.read_bytes(), 1), sample_images()
    expected = embedder(first)
    with pytest.raises(ValueError, match="Dimension mismatch"):
        embedder(first[:9])
    np.testing.assert_array_equal(embedder(first), expected)


def test_making_embedders_on_several_threads_leaves_the_screen_on(program, capfd):
    data, usual = program.read_bytes(), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: litert.Embedder(data).warm_up(1), range(200)))
    finally:
        sys.setswitchinterval(usual)
    os.write(1, b"still here\n")
    assert capfd.readouterr().out == "still here\n"
