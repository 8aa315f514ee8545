"""MobileNetV2 in Keras: a softmax head on cached embeddings, and on request fine-tuning of the network's last blocks.

Exports one `.keras` file (uint8 RGB (n, 224, 224, 3) to probabilities) and the same network as LiteRT.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core import artifacts, paths
from pipeline.core.errors import ParamsError
from pipeline.core.stage import require
from pipeline.data import litert
from pipeline.data.images import squares
from pipeline.estimators import _network
from pipeline.estimators._fine_tuning import FineTune, learning_rate, progress, stopping_part, tail_of
from pipeline.estimators._frozen_maps import MappedImages, frozen_maps, scratch_key
from pipeline.estimators._head import HeadParams, HeldOut, fit_head, sample_weight
from pipeline.estimators._protocol import Durations, Model

FEATURES = ("embedding", "pixels")
TIMED_BATCHES = 10  # whose median the duration of fine-tuning is estimated from


class Params(HeadParams):
    """The head's training, and `fine_tune` (needs `features: pixels`) or null."""

    fine_tune: FineTune | None = None


def check(params: Params, features: str, where: str) -> None:
    """Raise ParamsError unless pixels are requested exactly where they are used."""
    if (params.fine_tune is None) != (features == "embedding"):
        raise ParamsError(f"{where}.features: fine_tune needs 'pixels', a head alone 'embedding'; found {features!r}")


def build(params: Params, seed: int) -> "MobileNetV2Classifier":
    """Return an unfitted classifier."""
    return MobileNetV2Classifier(params, seed)


def use_workers(workers: int) -> int:
    """Give all workers to each fit, and return how many fits may run side by side: one."""
    _network.use_threads(workers)
    return 1


def seconds_of(work: Callable[..., Any], *arguments: Any) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


class MobileNetV2Classifier(Model):
    """A model over embeddings (n, 1280) or `MappedImages`."""

    def __init__(self, params: Params, seed: int):
        self.params, self.seed = params, seed

    @property
    def tune(self) -> FineTune:
        """How the network is fine-tuned; only where it is."""
        assert self.params.fine_tune is not None
        return self.params.fine_tune

    def fit(
        self, X: Any, y: np.ndarray, groups: np.ndarray, label: str, held_out: HeldOut = None
    ) -> "MobileNetV2Classifier":
        """Fit the head, and fine-tune the network if requested."""
        if self.params.fine_tune is None:
            held_out = held_out and (np.asarray(held_out[0]), held_out[1])
            self.head_, self.history_ = fit_head(np.asarray(X), y, self.params, self.seed, held_out)
            return self
        if self.tune.patience is not None:
            part = stopping_part(y, groups, self.tune.stop_fraction, self.seed)
            X, y, held_out = X[np.flatnonzero(~part)], y[~part], (X[np.flatnonzero(part)], y[part])
        held_out_embedding = held_out and (held_out[0].row_embedding, held_out[1])
        self.head_, head = fit_head(X.row_embedding, y, self.params, self.seed, held_out_embedding)
        tuned = self._fine_tune(X, y, held_out, label)
        self.history_ = pd.concat([head, tuned.assign(epoch=tuned["epoch"] + len(head))])
        return self

    def durations(self, X: Any, y: np.ndarray, label: str) -> Durations | None:
        """Time a head, the compilation and some batches, forward and backward; None for a head alone.

        The frozen blocks run over all images before, because their maps are computed once and not in each fit.
        """
        if self.params.fine_tune is None:
            return None
        from pipeline.estimators._keras_classes import Batches

        maps, size = self._maps(X, label), self.tune.batch_size
        start = time.perf_counter()
        self.head_, _ = fit_head(X.row_embedding, y, self.params, self.seed, None)
        tail, n = self._make_tail(len(y)), min(len(y), TIMED_BATCHES * size)
        batches = Batches(maps, X.rows[:n], y[:n], np.ones(n), size, self.seed)
        tail.train_on_batch(*batches[0])
        tail.test_on_batch(*batches[0])
        images = X.pixels[X.rows[:size]]
        self.network_.predict_on_batch(images)
        once = time.perf_counter() - start  # mostly of compiling these three
        learnt, seen = (
            [seconds_of(work, *batches[k]) / len(batches[k][1]) for k in range(len(batches))]
            for work in (tail.train_on_batch, tail.test_on_batch)
        )
        predicted = seconds_of(self.network_.predict_on_batch, images) / len(images)
        epochs = self.tune.epochs
        stops = self.tune.patience is not None
        held_out = predicted + (0 if stops else float(np.median(seen)) * epochs)
        return Durations(once, float(np.median(learnt)) * epochs, held_out, stops)

    def _maps(self, X: MappedImages, label: str) -> np.memmap:
        return frozen_maps(X, self.tune.from_block, self.tune.views, self.seed, label)

    def _make_tail(self, n: int) -> Any:
        """Build `network_` with the fitted head, and return its trainable layers, compiled for n samples an epoch."""
        keras = _network.import_keras()
        keras.utils.set_random_seed(self.seed)
        self.network_ = self._assemble()
        tail = tail_of(self.network_, self.tune.from_block)
        rate = learning_rate(keras, self.tune.learning_rate, self.tune.epochs, -(-n // self.tune.batch_size))
        tail.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
        return tail

    def _fine_tune(self, X: MappedImages, y: np.ndarray, held_out: HeldOut, label: str) -> pd.DataFrame:
        keras, tune = _network.import_keras(), self.tune
        from pipeline.estimators._keras_classes import Batches, Checkpoint

        def weight(labels: np.ndarray) -> np.ndarray:
            return sample_weight(labels, self.params.class_weight)

        maps, tail = self._maps(X, label), self._make_tail(len(y))
        stopping, validation = None, None
        if held_out:
            rows, labels = held_out[0].rows, held_out[1]
            validation = Batches(maps, rows, labels, weight(labels), tune.batch_size)
        if tune.patience is not None:
            stopping = keras.callbacks.EarlyStopping("val_loss", patience=tune.patience, restore_best_weights=True)
        key = scratch_key(self.params.model_dump(), self.seed, Path(str(maps.filename)).name, X.rows, y, *self.head_)
        checkpoint = Checkpoint(X.scratch / f"{key}.npz", stopping)
        first = checkpoint.first_epoch(tune.epochs)
        if first:
            print(f"{label}: resumes after epoch {checkpoint.epochs_done} of {tune.epochs}", file=sys.stderr)
        lines = progress(keras, label, tune.epochs, first, stopping is not None)
        tail.fit(
            Batches(maps, X.rows, y, weight(y), tune.batch_size, self.seed, first),
            validation_data=validation,
            epochs=tune.epochs,
            initial_epoch=first,
            shuffle=False,  # the batches come shuffled
            verbose=0,
            callbacks=[*filter(None, [stopping]), lines, checkpoint],
        )
        epochs = np.arange(1, checkpoint.epochs_done + 1)
        return pd.DataFrame({"epoch": epochs, "val_loss": np.nan} | checkpoint.history)

    def _pretrained(self) -> Any:
        return _network.load_pretrained()

    def _assemble(self) -> Any:
        keras = _network.import_keras()
        base = self._pretrained()
        dropped = keras.layers.Dropout(self.params.dropout, name="dropout")(base.output)
        output = keras.layers.Dense(len(self.head_.bias), activation="softmax", name="probabilities")(dropped)
        model = keras.Model(base.input, output, name="mobilenetv2")
        model.get_layer("probabilities").set_weights(self.head_)
        return model

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return probabilities (n, n_classes)."""
        return self.head_.predict_proba(X) if self.params.fine_tune is None else self._in_batches(self.network_, X)

    def _in_batches(self, model: Any, X: MappedImages) -> np.ndarray:
        size = self.tune.batch_size
        starts = range(0, len(X), size)
        return np.concatenate([model.predict_on_batch(X.pixels[X.rows[start : start + size]]) for start in starts])

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
        frozen = self._pretrained() if self.params.fine_tune and self.tune.trains(_network.OOD_LAYERS) else None
        artifacts.write_bytes(folder / "model.tflite", _network.to_litert(loaded, frozen))
        kernel, bias = loaded.get_layer("probabilities").get_weights()
        artifacts.write_npz(folder / "model.npz", {"kernel": kernel, "bias": bias})
        if self.params.fine_tune is None:
            embed = litert.Embedder(require(paths.EMBEDDER, "backbone").read_bytes())
            samples = squares.sample_images()
            by_head = self.head_.predict_proba(np.stack([embed(sample) for sample in samples]))
            by_network = np.asarray(loaded(np.stack(samples), training=False))
            _network.assert_close("the head on embeddings", by_head, by_network)
