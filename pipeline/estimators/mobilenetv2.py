"""MobileNetV2 in Keras: a softmax head on cached embeddings, and on request fine-tuning of the network's last blocks.

Exports one `.keras` file (uint8 RGB (n, 224, 224, 3) in, probabilities out) and its LiteRT twin.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from pipeline import artifacts, images, network
from pipeline.params import Strict
from pipeline.stage import ParamsError, require

FEATURES = ("embedding", "pixels")
BLOCKS = tuple(f"block_{number}" for number in range(1, 17))


class FineTune(Strict):
    """How training goes on, on pixels, after the head has been fitted.

    from_block: the first block that is trained; epochs at most, patience: epochs without a better loss on the samples held
    out for it (`stop_fraction` of the groups) before it ends; the best epoch's weights are kept.
    """

    from_block: Literal[BLOCKS] = "block_13"
    epochs: int = Field(8, ge=1)
    learning_rate: float = Field(1e-4, gt=0)
    batch_size: int = Field(32, ge=1)
    patience: int = Field(3, ge=1)
    stop_fraction: float = Field(0.15, gt=0, lt=0.5)


class Params(Strict):
    """The head's training, and `fine_tune` (needs `features: pixels`) or null."""

    epochs: int = Field(20, ge=1)
    learning_rate: float = Field(1e-3, gt=0)
    batch_size: int = Field(64, ge=1)
    dropout: float = Field(0.5, ge=0, lt=1)
    class_weight: Literal["balanced"] | None = "balanced"
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
    network.use_threads(workers)
    return 1


@dataclass(frozen=True)
class Pictures:
    """Samples as both cached embeddings, float32 (n, 1280), and pixels, uint8 (n, 224, 224, 3), mapped from disk.

    Indexed by row numbers, it stays a view: no pixel is read before it is asked for.
    """

    embedding: np.ndarray
    pixels: np.ndarray
    rows: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.rows is None:
            object.__setattr__(self, "rows", np.arange(len(self.embedding)))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: np.ndarray) -> "Pictures":
        return Pictures(self.embedding, self.pixels, self.rows[rows])


class MobileNetV2Classifier:
    """scikit-learn's `fit` and `predict_proba` over embeddings (n, 1280) or `Pictures`.

    `history_` after fitting: a DataFrame with epoch, loss and val_loss (NaN where nothing was held out).
    """

    def __init__(self, params: Params, seed: int):
        self.params, self.seed = params, seed

    def fit_grouped(
        self, X: Any, y: np.ndarray, groups: np.ndarray, label: str, held_out: tuple | None = None
    ) -> "MobileNetV2Classifier":
        """Fit on X and y (n,). `held_out` (X, y) is only looked at, for the head's curve; it influences nothing."""
        if self.params.fine_tune is None:
            self.history_ = self._fit_head(X, y, held_out)
            return self
        part = stopping_part(groups, self.params.fine_tune.stop_fraction, self.seed)
        rest, stop = np.flatnonzero(~part), np.flatnonzero(part)
        head = self._fit_head(X[rest].embedding[X[rest].rows], y[rest], (X[stop].embedding[X[stop].rows], y[stop]))
        tuned = self._fine_tune(X[rest], y[rest], X[stop], y[stop], label)
        self.history_ = pd.concat([head, tuned.assign(epoch=tuned["epoch"] + len(head))])
        return self

    def _fit_head(self, X: np.ndarray, y: np.ndarray, held_out: tuple | None) -> pd.DataFrame:
        keras = network.import_keras()
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
            losses.append(cross_entropy(self._head_proba(held_out[0]), held_out[1]) if held_out else np.nan)

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

    def _fine_tune(self, X: Pictures, y: np.ndarray, X_stop: Pictures, y_stop: np.ndarray, label: str) -> pd.DataFrame:
        keras, tune = network.import_keras(), self.params.fine_tune
        keras.utils.set_random_seed(self.seed)
        self.network_ = self._assemble()
        freeze_before(self.network_, tune.from_block)
        self.network_.compile(keras.optimizers.Adam(tune.learning_rate), "sparse_categorical_crossentropy")
        batches = make_batches(keras)
        done = self.network_.fit(
            batches(X, y, self._sample_weight(y), tune.batch_size, self.seed, augment=True),
            validation_data=batches(
                X_stop, y_stop, self._sample_weight(y_stop), tune.batch_size, self.seed, augment=False
            ),
            epochs=tune.epochs,
            verbose=0,
            callbacks=[
                keras.callbacks.EarlyStopping("val_loss", patience=tune.patience, restore_best_weights=True),
                progress(keras, label, tune.epochs),
            ],
        )
        losses = {"loss": done.history["loss"], "val_loss": done.history["val_loss"]}
        return pd.DataFrame({"epoch": np.arange(1, len(losses["loss"]) + 1), **losses})

    def _assemble(self) -> Any:
        keras = network.import_keras()
        base = network.build(dict(np.load(require(network.FOLDER / "weights.npz", "backbone"))))
        dropped = keras.layers.Dropout(self.params.dropout, name="dropout")(base.output)
        output = keras.layers.Dense(len(self.head_[1]), activation="softmax", name="probabilities")(dropped)
        model = keras.Model(base.input, output, name="mobilenetv2")
        model.get_layer("probabilities").set_weights(self.head_)
        return model

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return probabilities (n, n_classes)."""
        if self.params.fine_tune is None:
            return self._head_proba(X)
        size = self.params.fine_tune.batch_size
        starts = range(0, len(X), size)
        found = [np.asarray(self.network_(X.pixels[X.rows[at : at + size]], training=False)) for at in starts]
        return np.concatenate(found)

    def save(self, folder: Path) -> None:
        """Write model.keras and model.tflite; raise RuntimeError if they, or the head, disagree."""
        if self.params.fine_tune is None:
            model = self._assemble()
        else:  # the same layers without the optimizer's state
            model = network.import_keras().Model(self.network_.input, self.network_.output, name="mobilenetv2")
        network.save_keras(model, folder / "model.keras")
        loaded = network.load_keras(folder / "model.keras")
        artifacts.write_bytes(folder / "model.tflite", network.to_litert(loaded))
        if self.params.fine_tune is None:
            embed = images.Embedder(require(network.FOLDER / "embedder.tflite", "backbone").read_bytes())
            pictures = images.sample_pictures()
            by_head = self._head_proba(np.stack([embed(picture) for picture in pictures]))
            network.assert_close(
                "the head on embeddings", by_head, np.asarray(loaded(np.stack(pictures), training=False))
            )


def build_head(n_features: int, n_classes: int, dropout: float) -> Any:
    """Return an uncompiled Keras model: embeddings (n, n_features) to probabilities (n, n_classes)."""
    keras = network.import_keras()
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


def stopping_part(groups: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Return bool (n,): about `fraction` of the groups, never a part of one."""
    names = np.unique(groups)
    chosen = np.random.default_rng(seed).permutation(names)[: max(1, round(fraction * len(names)))]
    return np.isin(groups, chosen)


def freeze_before(model: Any, block: str) -> None:
    """Let only the layers from `block` on learn; batch normalisation keeps its statistics everywhere."""
    learns = False
    for layer in model.layers:
        learns = learns or layer.name.startswith(f"{block}_")
        layer.trainable = learns and type(layer).__name__ != "BatchNormalization"


def augmented(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return uint8 (n, side, side, 3) pictures flipped, turned by quarters, and changed in light and contrast by up to 20 %.

    Dermoscopy and histology have no up or down; the changes of light are those between two cameras.
    """
    changed = np.empty_like(pixels)
    for index, picture in enumerate(pixels):
        picture = np.rot90(picture, rng.integers(4))
        picture = picture[:, ::-1] if rng.integers(2) else picture
        light, contrast = rng.uniform(0.8, 1.2, 2)
        # one look-up table a picture: eight times quicker than float arithmetic on its pixels
        table = np.clip((np.arange(256) - 128) * contrast + 128 * light, 0, 255).astype(np.uint8)
        changed[index] = table[picture]
    return changed


def make_batches(keras: Any) -> type:
    """Return a Keras data set class over `Pictures`, reading one batch at a time."""

    class Batches(keras.utils.PyDataset):
        def __init__(self, X: Pictures, y: np.ndarray, weight: np.ndarray, size: int, seed: int, augment: bool):
            super().__init__(workers=1)
            self.X, self.y, self.weight, self.size, self.augment = X, y, weight, size, augment
            self.seed, self.epoch = seed, 0
            self.order = np.arange(len(y))
            self._shuffle()

        def __len__(self) -> int:
            return -(-len(self.y) // self.size)

        def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            rows = np.sort(self.order[index * self.size : (index + 1) * self.size])
            pixels = self.X.pixels[self.X.rows[rows]]
            if self.augment:
                pixels = augmented(pixels, np.random.default_rng([self.seed, self.epoch, index]))
            return pixels, self.y[rows], self.weight[rows]

        def on_epoch_end(self) -> None:
            self.epoch += 1
            self._shuffle()

        def _shuffle(self) -> None:
            if self.augment:
                self.order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.y))

    return Batches


def progress(keras: Any, label: str, epochs: int) -> Any:
    """Return a Keras callback that prints a line an epoch, with the loss that early stopping watches."""
    import sys
    import time

    start = time.monotonic()

    def say(epoch: int, logs: dict[str, float]) -> None:
        left = (time.monotonic() - start) / (epoch + 1) * (epochs - epoch - 1)
        line = f"{label}: epoch {epoch + 1}/{epochs}, loss {logs['loss']:.4f}, val_loss {logs['val_loss']:.4f}"
        print(f"{line}, {left:.0f} s left at most", file=sys.stderr, flush=True)

    return keras.callbacks.LambdaCallback(on_epoch_end=say)


def cross_entropy(proba: np.ndarray, y: np.ndarray) -> float:
    """Return the mean negative logarithm of the probability of the true class."""
    return float(-np.log(np.clip(proba[np.arange(len(y)), y], 1e-15, 1)).mean())
