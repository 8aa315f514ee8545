"""Training that was interrupted ends as if it had not been."""

import numpy as np
import pytest

from pipeline.estimators import _network
from tests.helpers.models import KERAS_NOISE

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)
EPOCHS = 5


@pytest.fixture(scope="module")
def keras():
    return _network.import_keras()


def train(keras, path, epochs: int, patience: int | None = None):
    """Train a small network with dropout for up to `epochs` epochs, from the checkpoint on; return both."""
    from pipeline.estimators._keras_classes import Checkpoint

    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(8, activation="relu"), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile(keras.optimizers.Adam(0.01), loss="mse")
    X = np.random.default_rng(0).normal(size=(32, 4)).astype(np.float32)
    stopping = None if patience is None else keras.callbacks.EarlyStopping("loss", min_delta=10, patience=patience)
    checkpoint = Checkpoint(path, stopping)
    callbacks = [*([stopping] if stopping else []), checkpoint]
    first = checkpoint.first_epoch(epochs)
    model.fit(X, X[:, :1], 8, epochs, 0, callbacks, shuffle=False, initial_epoch=first)
    return model, checkpoint


def test_a_resumed_training_ends_with_the_same_bits(keras, tmp_path):
    whole, of_whole = train(keras, tmp_path / "whole.npz", EPOCHS)
    train(keras, tmp_path / "parts.npz", 2)
    resumed, of_resumed = train(keras, tmp_path / "parts.npz", EPOCHS)
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert of_whole.history == of_resumed.history
    assert of_resumed.epochs_done == EPOCHS


def test_a_training_that_had_stopped_early_is_not_resumed(keras, tmp_path):
    _, checkpoint = train(keras, tmp_path / "state.npz", EPOCHS, patience=1)
    assert checkpoint.epochs_done < EPOCHS
    _, again = train(keras, tmp_path / "state.npz", EPOCHS, patience=1)
    assert again.history == checkpoint.history
