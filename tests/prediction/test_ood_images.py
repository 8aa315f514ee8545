"""The distance of an image to the training data: the same for training and serving, and without a sample of anybody kept."""

import numpy as np
import pytest

from pipeline.core import mapped_rows
from pipeline.data.dataset import Views
from pipeline.prediction import ood_images

RNG = np.random.default_rng(5)
AXES = RNG.normal(size=(6, 60))


def drawn(n, seed=0):
    """Return n rows of 60 features that vary in 6 directions, and a little in all."""
    rng = np.random.default_rng(seed)
    return np.exp(rng.normal(size=(n, 6)) @ AXES * 0.2 + rng.normal(size=(n, 60)) * 0.1).astype(np.float32)


def test_about_one_in_forty_similar_samples_is_refused():
    X, fold = drawn(600), np.arange(600) % 5
    most = ood_images.threshold(ood_images.out_of_fold(X, fold)[0])
    assert (ood_images.distances(ood_images.fit(X), drawn(4000, seed=1)) > most).mean() == pytest.approx(
        0.025, abs=0.015
    )


@pytest.mark.parametrize("n", [600, 40])  # more samples than features, and fewer
def test_samples_that_vary_in_other_directions_are_all_refused(n):
    X, fold = drawn(n), np.arange(n) % 5
    most = ood_images.threshold(ood_images.out_of_fold(X, fold)[0])
    other = np.exp(np.random.default_rng(2).normal(size=(200, 60)) * 0.8)
    assert (ood_images.distances(ood_images.fit(X), other) > most).all()


@pytest.mark.parametrize("n", [300, 40])  # the axes come from the smaller of two products
def test_distances_are_those_of_probabilistic_pca(n):
    X = drawn(n)
    known, root = ood_images.fit(X), np.sqrt(X.astype(np.float64))
    k = len(known["axes"])
    values, vectors = np.linalg.eigh(np.cov(root, rowvar=False, bias=True))
    noise = values[:-k].mean()
    # Tipping and Bishop's C.
    covariance = (vectors[:, -k:] * (values[-k:] - noise)) @ vectors[:, -k:].T + noise * np.eye(60)
    centred = np.sqrt(drawn(20, seed=3).astype(np.float64)) - root.mean(axis=0)
    expected = np.sqrt(np.einsum("ij,jk,ik->i", centred, np.linalg.inv(covariance), centred) / 60)
    np.testing.assert_allclose(ood_images.distances(known, drawn(20, seed=3)), expected, rtol=1e-6)


def test_no_training_sample_can_be_read_from_what_is_kept():
    X = drawn(200)
    known = ood_images.fit(X)
    rows = np.concatenate([known["mean"][None], known["axes"]])
    assert np.abs(np.sqrt(X)[:, None] - rows[None]).max(axis=2).min() > 0.05


def test_features_that_never_vary_are_no_division_by_zero():
    X = np.ones((30, 12), np.float32)
    distances = ood_images.distances(ood_images.fit(X), np.vstack([X[:1], 2 * X[:1]]))
    assert distances[0] == 0
    assert distances[1] > 1000


def test_the_reason_says_how_far_and_what_is_usual():
    known, sample = ood_images.fit(drawn(200)), drawn(1, seed=1)
    distance = ood_images.distances(known, sample)[0]
    assert ood_images.score(known, sample, distance).reason == ""
    score = ood_images.score(known, sample, distance / 2)
    expected = f"distance {distance:.3g}, at least 97.5% of training images are within {distance / 2:.3g}"
    assert (score.is_refused, score.reason) == (True, f"too different from the training data: {expected}")
    assert score.distance == 2


def test_views_widen_the_reference_and_are_no_samples():
    X, fold, row = drawn(400), np.arange(400) % 5, np.repeat(np.arange(400), 2)
    rng = np.random.default_rng(3)
    dimmed = X[row] * rng.uniform(0.5, 1.5, (800, 1)).astype(np.float32)
    new = drawn(400, seed=9) * rng.uniform(0.5, 1.5, (400, 1))
    alone, _ = ood_images.out_of_fold(X, fold)
    assert (ood_images.distances(ood_images.fit(X), new) > ood_images.threshold(alone)).mean() > 0.5
    distance, of_views = ood_images.out_of_fold(X, fold, Views(row, dimmed))
    assert (distance.shape, of_views.shape) == ((400,), (800,))
    limit = ood_images.threshold(distance, of_views)
    widened = ood_images.fit(X, dimmed)
    assert (ood_images.distances(widened, new) > limit).mean() < 0.1
    assert (ood_images.distances(widened, drawn(400, seed=8)) > limit).mean() <= 0.04
    other = np.exp(np.random.default_rng(2).normal(size=(200, 60)) * 0.8)
    assert (ood_images.distances(widened, other) > limit).all()


def test_a_view_is_compared_with_folds_without_its_image():
    X, fold = drawn(60), np.arange(60) % 3
    views = Views(np.arange(60), 3 * X)
    _, of_views = ood_images.out_of_fold(X, fold, views)
    kept = fold != 1
    reference = ood_images.fit(X[kept], views.features[kept])
    assert of_views[1] == pytest.approx(ood_images.distances(reference, views.features[1:2])[0])


def test_samples_on_disk_are_compared_as_those_in_memory(monkeypatch):
    X, views = drawn(90), Views(np.arange(20), drawn(20, 1))
    fold = np.arange(90) % 3
    alone = ood_images.out_of_fold(X, fold, views)
    monkeypatch.setattr(mapped_rows, "BLOCK", 25)
    blockwise = ood_images.out_of_fold(mapped_rows.select(X, np.arange(90)), fold, views)
    for in_memory, on_disk in zip(alone, blockwise, strict=True):
        np.testing.assert_allclose(in_memory, on_disk, rtol=1e-6)


def test_features_that_do_not_span_all_directions_have_finite_distances():
    rng = np.random.default_rng(0)
    X = ((rng.random((60, 2)) @ rng.random((2, 12))) ** 2).astype(np.float32)
    distance, _ = ood_images.out_of_fold(X, np.arange(60) % 3)
    assert np.isfinite(distance).all()
    assert np.isfinite(ood_images.fit(X)["scales"]).all()
