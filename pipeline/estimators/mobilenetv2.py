"""MobileNetV2 in Keras: a softmax head on cached embeddings, and on request fine-tuning of the network's last blocks.

Exports one `.keras` file (uint8 RGB (n, 224, 224, 3) in, probabilities out) and its LiteRT twin.
"""

import sys
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from pipeline.core import artifacts, paths
from pipeline.core.errors import ParamsError
from pipeline.core.params_models import Strict
from pipeline.core.stage import require
from pipeline.data import images, litert
from pipeline.estimators import _network
from pipeline.estimators._checkpoint import key, make_checkpoint
from pipeline.estimators._frozen import frozen_maps, last_frozen
from pipeline.estimators._pictures import Pictures, make_batches
from pipeline.estimators._protocol import Model
from pipeline.estimators._tail import learning_rate, progress, stopping_part, tail_of

FEATURES = ("embedding", "pixels")
TRIED = 10  # batches by which the time is told beforehand
BLOCKS = tuple(f"block_{number}" for number in range(1, 17))


class FineTune(Strict):
    """How training goes on from the head, with the blocks from `from_block` on.

    In each epoch a picture is shown as one of its `views`: as it is, or as it was drawn (see `_pictures.views`). With `patience`,
    the epochs without a better loss on samples held out for it (`stop_fraction` of the groups) before it ends, the best epoch's
    weights are kept; without, all samples are learnt from, in all epochs.
    """

    from_block: Literal[BLOCKS] = "block_13"
    views: int = Field(8, ge=1)
    epochs: int = Field(10, ge=1)
    learning_rate: float = Field(3e-4, gt=0)
    batch_size: int = Field(32, ge=1)
    patience: int | None = Field(None, ge=1)
    stop_fraction: float = Field(0.15, gt=0, lt=0.5)


class Params(Strict):
    """The head's training, and `fine_tune` (needs `features: pixels`) or null."""

    epochs: int = Field(20, ge=1)
    learning_rate: float = Field(1e-3, gt=0)
    batch_size: int = Field(64, ge=1)
    dropout: float = Field(0.5, ge=0, lt=1)
    class_weight: Literal["balanced"] | None = None
    fine_tune: FineTune | None = None


def check(params: Params, features: str, where: str) -> None:
    """Raise ParamsError unless pixels are asked for exactly where they are used."""
    if (params.fine_tune is None) != (features == "embedding"):
        raise ParamsError(f"{where}.features: fine_tune needs 'pixels', a head alone 'embedding'; found {features!r}")


def build(params: Params, seed: int) -> "MobileNetV2Classifier":
    """Return an unfitted classifier."""
    return MobileNetV2Classifier(params, seed)


def use_workers(workers: int) -> int:
    """Give all workers to each fit, and return how many folds may run side by side: one."""
    _network.use_threads(workers)
    return 1


class MobileNetV2Classifier(Model):
    """A model over embeddings (n, 1280) or `Pictures`.

    `history_` after fitting: a DataFrame with epoch, loss and val_loss (NaN where nothing was held out).
    """

    def __init__(self, params: Params, seed: int):
        self.params, self.seed = params, seed

    def fit(
        self, X: Any, y: np.ndarray, groups: np.ndarray, label: str, held_out: tuple | None = None
    ) -> "MobileNetV2Classifier":
        """Fit on X and y (n,). `held_out` (X, y) is only looked at, for the curve of val_loss; it influences nothing."""
        tune = self.params.fine_tune
        if tune is None:
            self.history_ = self._fit_head(X, y, held_out)
            return self
        if tune.patience is not None:
            part = stopping_part(y, groups, tune.stop_fraction, self.seed)
            X, y, held_out = X[np.flatnonzero(~part)], y[~part], (X[np.flatnonzero(part)], y[part])
        looked_at = held_out and (held_out[0].embedding[held_out[0].rows], held_out[1])
        head = self._fit_head(X.embedding[X.rows], y, looked_at)
        tuned = self._fine_tune(X, y, held_out, label)
        self.history_ = pd.concat([head, tuned.assign(epoch=tuned["epoch"] + len(head))])
        return self

    def _fit_head(self, X: np.ndarray, y: np.ndarray, held_out: tuple | None) -> pd.DataFrame:
        keras = _network.import_keras()
        keras.utils.set_random_seed(self.seed)
        head = build_head(X.shape[1], int(y.max()) + 1, self.params.dropout)
        batches, steps = head_batches(X, y, self._sample_weight(y), self.params.batch_size, self.seed)
        # An epoch a call: handing over batch by batch costs more than these small steps
        head.compile(
            keras.optimizers.Adam(self.params.learning_rate),
            "sparse_categorical_crossentropy",
            steps_per_execution=steps,
        )
        losses = []

        def look(epoch: int, logs: dict[str, float]) -> None:
            self.head_ = tuple(np.asarray(weight) for weight in head.get_weights())
            losses.append(self._loss(*held_out) if held_out else np.nan)

        done = head.fit(
            batches,
            steps_per_epoch=steps,
            epochs=self.params.epochs,
            shuffle=False,  # the batches come shuffled
            verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=look)],
        )
        epochs = np.arange(1, self.params.epochs + 1)
        return pd.DataFrame({"epoch": epochs, "loss": done.history["loss"], "val_loss": losses})

    def _loss(self, X: np.ndarray, y: np.ndarray) -> float:
        """Return the head's mean cross-entropy, weighted as in training so that both curves can be compared."""
        proba = self._head_proba(X)[np.arange(len(y)), y]
        return float(np.average(-np.log(np.clip(proba, 1e-15, 1)), weights=self._sample_weight(y)))

    def _sample_weight(self, y: np.ndarray) -> np.ndarray:
        if self.params.class_weight is None:
            return np.ones(len(y), np.float32)
        counts = np.bincount(y)
        return (len(y) / (np.count_nonzero(counts) * counts[y])).astype(np.float32)

    def _head_proba(self, embedding: np.ndarray) -> np.ndarray:
        kernel, bias = self.head_
        logits = embedding.astype(np.float64) @ kernel + bias
        exp = np.exp(logits - logits.max(axis=1, keepdims=True))
        return exp / exp.sum(axis=1, keepdims=True)

    def seconds_per_sample(self, X: Any, y: np.ndarray, label: str) -> float | None:
        """Measure a few batches of fine-tuning, after running the frozen blocks over all images; None for a head alone."""
        if self.params.fine_tune is None:
            return None
        size, maps, keras = self.params.fine_tune.batch_size, self._maps(X, label), _network.import_keras()
        self.head_ = np.zeros((X.embedding.shape[1], int(y.max()) + 1)), np.zeros(int(y.max()) + 1)
        n = min(TRIED, max(1, len(y) // size)) * size  # whole batches: another size would be compiled again
        tail, some = self._make_tail(len(y)), y[:n]
        batches = make_batches(keras)(maps, X.rows[:n], some, np.ones(len(some)), size, self.seed)
        tail.train_on_batch(*batches[0])  # compiles
        start = time.perf_counter()
        for at in range(len(batches)):
            tail.train_on_batch(*batches[at])
        return (time.perf_counter() - start) / len(some) * self.params.fine_tune.epochs

    def _maps(self, X: Pictures, label: str) -> np.ndarray:
        return frozen_maps(X, self.params.fine_tune.from_block, self.params.fine_tune.views, self.seed, label)

    def _make_tail(self, n: int) -> Any:
        """Build `network_` with the fitted head on it, and return what of it learns, ready for the n samples of an epoch."""
        keras, tune = _network.import_keras(), self.params.fine_tune
        keras.utils.set_random_seed(self.seed)
        self.network_ = self._assemble()
        tail = tail_of(self.network_, tune.from_block)
        rate = learning_rate(keras, tune.learning_rate, tune.epochs, -(-n // tune.batch_size))
        tail.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
        return tail

    def _fine_tune(
        self, X: Pictures, y: np.ndarray, held_out: tuple[Pictures, np.ndarray] | None, label: str
    ) -> pd.DataFrame:
        keras, tune = _network.import_keras(), self.params.fine_tune
        maps, tail, Batches = self._maps(X, label), self._make_tail(len(y)), make_batches(keras)
        stopping, watched = None, None
        if held_out:
            rows, labels = held_out[0].rows, held_out[1]
            watched = Batches(maps, rows, labels, self._sample_weight(labels), tune.batch_size)
        if tune.patience is not None:
            stopping = keras.callbacks.EarlyStopping("val_loss", patience=tune.patience, restore_best_weights=True)
        decides = (self.params.model_dump(), self.seed, Path(maps.filename).name, X.rows, y, *self.head_)
        checkpoint = make_checkpoint(keras)(X.scratch / f"{key(*decides)}.npz", stopping)
        first = checkpoint.first_epoch(tune.epochs)
        if first:
            print(f"{label}: goes on after epoch {checkpoint.epochs_done} of {tune.epochs}", file=sys.stderr)
        tail.fit(
            Batches(maps, X.rows, y, self._sample_weight(y), tune.batch_size, self.seed, first),
            validation_data=watched,
            epochs=tune.epochs,
            initial_epoch=first,
            shuffle=False,  # the batches come shuffled
            verbose=0,
            callbacks=[
                *filter(None, [stopping]),
                progress(keras, label, tune.epochs, first, stopping is not None),
                checkpoint,
            ],
        )
        return pd.DataFrame(
            {"epoch": np.arange(1, checkpoint.epochs_done + 1), "val_loss": np.nan} | checkpoint.history
        )

    def _assemble(self) -> Any:
        keras = _network.import_keras()
        base = _network.build(dict(np.load(require(paths.WEIGHTS, "backbone"))))
        dropped = keras.layers.Dropout(self.params.dropout, name="dropout")(base.output)
        output = keras.layers.Dense(len(self.head_[1]), activation="softmax", name="probabilities")(dropped)
        model = keras.Model(base.input, output, name="mobilenetv2")
        model.get_layer("probabilities").set_weights(self.head_)
        return model

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return probabilities (n, n_classes)."""
        if self.params.fine_tune is None:
            return self._head_proba(X)
        return self._in_batches(self.network_, X)

    def ood_features(self, X: Any) -> np.ndarray:
        """Return that by which X is judged to be like the training data or not, float32 (n, n_features), never negative.

        Of embeddings these themselves. Of a network that was fine-tuned a map that was not, averaged over its places: what was
        learnt for lesions sees little in anything else (see `last_frozen`).
        """
        if self.params.fine_tune is None:
            return X
        keras, frozen = _network.import_keras(), self.network_.get_layer(last_frozen(self.params.fine_tune.from_block))
        mean = keras.layers.GlobalAveragePooling2D()(frozen.output)
        return self._in_batches(keras.Model(self.network_.input, mean), X)

    def _in_batches(self, model: Any, X: Pictures) -> np.ndarray:
        size = self.params.fine_tune.batch_size
        starts = range(0, len(X), size)
        return np.concatenate([model.predict_on_batch(X.pixels[X.rows[at : at + size]]) for at in starts])

    def save(self, folder: Path) -> None:
        """Write model.keras, model.tflite and, for explanations without Keras, the head's kernel and bias as model.npz.

        Raises RuntimeError if the first two, or the head, disagree.
        """
        if self.params.fine_tune is None:
            model = self._assemble()
        else:  # the same layers without the optimizer's state
            model = _network.import_keras().Model(self.network_.input, self.network_.output, name="mobilenetv2")
        _network.save_keras(model, folder / "model.keras")
        loaded = _network.load_keras(folder / "model.keras")
        frozen = self.params.fine_tune and last_frozen(self.params.fine_tune.from_block)
        artifacts.write_bytes(folder / "model.tflite", _network.to_litert(loaded, frozen))
        kernel, bias = loaded.get_layer("probabilities").get_weights()
        artifacts.write_npz(folder / "model.npz", {"kernel": kernel, "bias": bias})
        if self.params.fine_tune is None:
            embed = litert.Embedder(require(paths.EMBEDDER, "backbone").read_bytes())
            pictures = images.sample_pictures()
            by_head = self._head_proba(np.stack([embed(picture) for picture in pictures]))
            _network.assert_close(
                "the head on embeddings", by_head, np.asarray(loaded(np.stack(pictures), training=False))
            )


def build_head(n_features: int, n_classes: int, dropout: float) -> Any:
    """Return an uncompiled Keras model: embeddings (n, n_features) to probabilities (n, n_classes)."""
    keras = _network.import_keras()
    inputs = keras.Input((n_features,))
    output = keras.layers.Dense(n_classes, activation="softmax")(keras.layers.Dropout(dropout)(inputs))
    return keras.Model(inputs, output)


def head_batches(X: np.ndarray, y: np.ndarray, weight: np.ndarray, size: int, seed: int) -> tuple[Any, int]:
    """Return an endless, shuffled tf.data set of (X, y, weight) and the steps of one epoch.

    Endless, because Keras would make a new iterator for every epoch of a finite one: 22 ms each, more than the epoch.
    """
    import tensorflow as tf

    samples = tf.data.Dataset.from_tensor_slices((X, y, weight)).shuffle(len(y), seed=seed)
    return samples.batch(size).repeat(), -(-len(y) // size)
