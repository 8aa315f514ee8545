"""What MobileNetV2 is fine-tuned with: the layers that learn, the learning rate, what early stopping holds out, progress."""

import sys
import time
from typing import Any

import numpy as np

from pipeline.core.errors import DataError
from pipeline.estimators import _network
from pipeline.estimators._frozen import begins_with


def stopping_part(y: np.ndarray, groups: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Return bool (n,): about `fraction` of the samples of each class, never a part of a group.

    Raises DataError where a class has one group only, which cannot be on both sides.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    n_parts = min(round(1 / fraction), *(len(np.unique(groups[y == k])) for k in np.unique(y)))
    if n_parts < 2:
        raise DataError("early stopping needs two groups of each class in a training fold; leave fine_tune out")
    parts = StratifiedGroupKFold(n_parts, shuffle=True, random_state=seed)
    _, chosen = next(parts.split(y, y, groups))
    return np.isin(np.arange(len(y)), chosen)


def tail_of(model: Any, block: str) -> Any:
    """Return the layers of a Keras `model` from `block` on as a model of their own, which shares them and in which they learn.

    Batch normalisation keeps its statistics everywhere.
    """
    tail = _network.import_keras().Model(begins_with(model, block), model.output)
    for layer in tail.layers:
        layer.trainable = type(layer).__name__ != "BatchNormalization"
    return tail


def learning_rate(keras: Any, highest: float, epochs: int, steps: int) -> Any:
    """Return Keras' schedule: from 0 up to `highest` through the first of `epochs` of `steps`, then to 0 along a cosine.

    Adam's first steps are taken while its variance is estimated from few gradients; the rise keeps them small (Liu et al., On the
    Variance of the Adaptive Learning Rate and Beyond, ICLR 2020).
    """
    if epochs == 1:
        return keras.optimizers.schedules.CosineDecay(highest, steps)
    return keras.optimizers.schedules.CosineDecay(0.0, steps * (epochs - 1), warmup_target=highest, warmup_steps=steps)


def progress(keras: Any, label: str, epochs: int, first: int, may_stop: bool) -> Any:
    """Return a Keras callback that prints a line an epoch, with the losses, of which early stopping watches val_loss."""
    start = time.monotonic()

    def say(epoch: int, logs: dict[str, float]) -> None:
        left = (time.monotonic() - start) / (epoch + 1 - first) * (epochs - epoch - 1)
        losses = ", ".join(f"{name} {logs[name]:.4f}" for name in ("loss", "val_loss") if name in logs)
        at_most = " at most" * may_stop
        print(f"{label}: epoch {epoch + 1}/{epochs}, {losses}, {left:.0f} s left{at_most}", file=sys.stderr, flush=True)

    return keras.callbacks.LambdaCallback(on_epoch_end=say)
