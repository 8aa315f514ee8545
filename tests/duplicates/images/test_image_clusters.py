"""Images that come in sets which are each other's nearest: several images of one patient under names that say nothing."""

import numpy as np
import pytest

from pipeline.duplicates.images.image_clusters import find_clusters

N_FEATURES = 60


def patients(rng, n_patients, n_images, apart=1.5):
    """Return embeddings of images of patients, and the patient of each; what patients share has eight ways to vary."""
    axes = rng.normal(size=(8, N_FEATURES))
    own = np.repeat(apart * rng.normal(size=(n_patients, 8)) @ axes, n_images, axis=0)
    noise = 0.5 * rng.normal(size=(n_patients * n_images, 8)) @ axes
    return own + noise + 0.3 * rng.normal(size=own.shape), [str(n // n_images) for n in range(len(own))]


def search(embeddings, groups=None, labels=None, pairs=()):
    n = len(embeddings)
    return find_clusters(embeddings, labels or ["a"] * n, groups or [""] * n, list(pairs), 0)


@pytest.mark.parametrize(("n_patients", "n_images"), [(40, 6), (20, 8), (60, 5)])
def test_images_of_patients_are_found_without_names(n_patients, n_images):
    embeddings, _ = patients(np.random.default_rng(1), n_patients, n_images)
    assert search(embeddings).detected


def test_groups_and_copies_explain_sets():
    embeddings, groups = patients(np.random.default_rng(1), 60, 6)
    assert not search(embeddings, groups).detected
    copies = [(n - n % 6, n) for n in range(len(groups)) if n % 6]
    assert not search(embeddings, pairs=copies).detected


@pytest.mark.parametrize("n_dimensions", [2, 5, 10, 50])
def test_independent_images_are_no_sets(n_dimensions):
    rng = np.random.default_rng(2)
    detected = 0
    for n in (40, 80, 120, 240):
        for _ in range(5):
            classes = rng.integers(2, size=(n, 1)) + 3 * rng.integers(3, size=(n, 1))  # two classes, three scanners
            axes = rng.normal(size=(n_dimensions, N_FEATURES))
            images = (rng.normal(size=(n, n_dimensions)) + classes) @ axes
            detected += search(images, labels=[str(name) for name in classes.ravel()]).detected
    assert detected == 0


def test_kinds_of_images_with_labels_of_their_own_are_no_patients():
    embeddings, kinds = patients(np.random.default_rng(4), 20, 8)
    labels = np.random.default_rng(5).choice(["a", "b"], len(kinds))
    clusters = search(embeddings, labels=labels.tolist())
    assert clusters.share > clusters.limit
    assert not clusters.detected
    assert search(embeddings, labels=["ab"[int(kind) % 2] for kind in kinds]).detected


def test_classes_of_few_images_are_no_sets():
    embeddings, classes = patients(np.random.default_rng(3), 10, 10, apart=6)
    assert search(embeddings).detected
    assert not search(embeddings, labels=classes).detected


def test_equal_and_few_images_are_judged():
    assert not search(np.zeros((40, N_FEATURES))).detected
    assert not search(np.zeros((3, N_FEATURES))).detected
