"""Fixtures of the network's tests."""

import joblib
import numpy as np
import pytest

from pipeline.estimators._frozen_maps import map_images
from tests.helpers.models import learnt_head


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """A folder with a random backbone and 24 images of bright (1) and dark (0) discs, and the models learnt."""
    return learnt_head(tmp_path_factory.getbasetemp())


@pytest.fixture
def in_studio(studio, monkeypatch):
    monkeypatch.chdir(studio)


@pytest.fixture(scope="module")
def samples(studio):
    """The 24 images as a fine-tuned network sees them, mapped from disk, with classes and groups of two."""
    pixels = np.load(studio / "pixels.npy", mmap_mode="r")
    return (
        map_images(np.load(studio / "embedding.npy"), pixels, studio / "scratch"),
        np.arange(24) % 2,
        np.arange(24) // 4 * 2 + np.arange(24) % 2,
    )


@pytest.fixture(scope="module")
def head(studio):
    """A head fitted on the embeddings, saved in `head/`."""
    return joblib.load(studio / "fitted.joblib")
