"""A softmax layer on embeddings: the last layer of the network, trained first or alone."""

from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field

from pipeline.core.strict import Strict
from pipeline.estimators import _network

HeldOut = tuple[Any, np.ndarray] | None  # X, y of samples for val_loss alone


class HeadParams(Strict):
    """How the head is trained."""

    epochs: int = Field(20, ge=1)
    learning_rate: float = Field(1e-3, gt=0)
    batch_size: int = Field(64, ge=1)
    dropout: float = Field(0.5, ge=0, lt=1)
    class_weight: Literal["balanced"] | None = None


class Head(NamedTuple):
    """The weights of the layer: kernel (n_features, n_classes) and bias (n_classes,)."""

    kernel: np.ndarray
    bias: np.ndarray

    def predict_proba(self, embedding: np.ndarray) -> np.ndarray:
        """Return probabilities, float64 (n, n_classes), of embeddings (n, n_features)."""
        from scipy.special import softmax

        return softmax(embedding.astype(np.float64) @ self.kernel + self.bias, axis=1)


def fit_head(
    X: np.ndarray, y: np.ndarray, params: HeadParams, seed: int, held_out: HeldOut
) -> tuple[Head, pd.DataFrame]:
    """Return the head fitted on X (n, n_features) and y (n,), and its losses by epoch."""
    keras = _network.import_keras()
    keras.utils.set_random_seed(seed)
    batches, steps = make_batches(X, y, sample_weight(y, params.class_weight), params.batch_size, seed)
    network = compiled_head(X.shape[1], int(y.max()) + 1, params.dropout, params.learning_rate, steps, seed)
    val_losses = []

    def record_loss(epoch: int, logs: dict[str, float]) -> None:
        val_losses.append(loss(current_head(network), *held_out, params.class_weight) if held_out else np.nan)

    done = network.fit(
        batches,
        steps_per_epoch=steps,
        epochs=params.epochs,
        shuffle=False,  # the batches come shuffled
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=record_loss)],
    )
    epochs = np.arange(1, params.epochs + 1)
    history = pd.DataFrame({"epoch": epochs, "loss": done.history["loss"], "val_loss": val_losses})
    return current_head(network), history


def compiled_head(n_features: int, n_classes: int, dropout: float, rate: float, steps: int, seed: int) -> Any:
    """Return a network from `build_head`, ready for epochs of so many steps, with the state that `seed` gives a new one."""
    network, start = _new_head(n_features, n_classes, dropout, rate, steps, seed)
    for variable, value in zip(_state(network), start, strict=True):
        variable.assign(value)
    return network


@lru_cache(maxsize=4)  # folds have much the same size, and TensorFlow takes 0.5 s to compile what trains in 0.2 s
def _new_head(
    n_features: int, n_classes: int, dropout: float, rate: float, steps: int, seed: int
) -> tuple[Any, list[np.ndarray]]:
    """Return a compiled network and the values of `_state`."""
    keras = _network.import_keras()
    keras.utils.set_random_seed(seed)
    network = build_head(n_features, n_classes, dropout)
    network.compile(
        keras.optimizers.Adam(rate),
        "sparse_categorical_crossentropy",
        steps_per_execution=steps,  # an epoch a call: a call per batch costs more than these small steps
    )
    network.optimizer.build(network.trainable_variables)
    return network, [np.array(variable) for variable in _state(network)]


def _state(network: Any) -> list[Any]:
    """Return all that training changes: weights, random states and the optimizer's variables."""
    return [*network.variables, *network.optimizer.variables]


def current_head(network: Any) -> Head:
    """Return the weights of a Keras model made by `build_head`."""
    return Head(*(np.asarray(weight) for weight in network.get_weights()))


def build_head(n_features: int, n_classes: int, dropout: float) -> Any:
    """Return an uncompiled Keras model: embeddings (n, n_features) to probabilities (n, n_classes)."""
    keras = _network.import_keras()
    inputs = keras.Input((n_features,))
    output = keras.layers.Dense(n_classes, activation="softmax")(keras.layers.Dropout(dropout)(inputs))
    return keras.Model(inputs, output)


def make_batches(X: np.ndarray, y: np.ndarray, weight: np.ndarray, size: int, seed: int) -> tuple[Any, int]:
    """Return an endless, shuffled tf.data set of (X, y, weight) and the steps of one epoch.

    For a finite set Keras makes a new iterator in every epoch: 22 ms, more than the epoch takes.
    """
    import tensorflow as tf

    samples = tf.data.Dataset.from_tensor_slices((X, y, weight)).shuffle(len(y), seed=seed)
    return samples.batch(size).repeat(), -(-len(y) // size)


def sample_weight(y: np.ndarray, class_weight: str | None) -> np.ndarray:
    """Return the weight of each sample, float32 (n,); ones where `class_weight` is None."""
    from sklearn.utils.class_weight import compute_sample_weight

    return compute_sample_weight(class_weight, y).astype(np.float32)


def loss(head: Head, X: np.ndarray, y: np.ndarray, class_weight: str | None) -> float:
    """Return the mean cross-entropy, weighted as in training so that both curves can be compared."""
    proba = head.predict_proba(X)[np.arange(len(y)), y]
    return float(np.average(-np.log(np.clip(proba, 1e-15, 1)), weights=sample_weight(y, class_weight)))
