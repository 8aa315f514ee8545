"""The network in Keras and in LiteRT."""

import numpy as np
import pytest

from pipeline.estimators import _network
from tests.helpers.models import KERAS_NOISE

CLOSE = 1e-4
pytestmark = [pytest.mark.filterwarnings(KERAS_NOISE), pytest.mark.usefixtures("in_studio")]


def test_the_litert_embedder_agrees_with_keras(samples):
    X, *_ = samples
    model = _network.build(dict(np.load("models/backbone/weights.npz")))
    np.testing.assert_allclose(X.embedding, np.asarray(model(np.asarray(X.pixels), training=False)), atol=CLOSE)


def test_weights_survive_a_round_trip_through_the_file():
    weights = dict(np.load("models/backbone/weights.npz"))
    weights_read = _network.get_weights(_network.build(weights))
    assert list(weights_read) == list(weights)
    assert all(np.array_equal(weights_read[name], weights[name]) for name in weights)
    assert len(weights) == 260
