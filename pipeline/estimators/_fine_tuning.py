"""Fine-tuning: its parameters, the trainable layers, the learning rate, the samples for early stopping, progress."""

import sys
import time
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from pydantic import Field

from pipeline.core.errors import DataError
from pipeline.core.strict import Strict
from pipeline.estimators import _network
from pipeline.estimators._frozen_maps import block_input

BLOCKS = tuple(f"block_{number}" for number in range(1, 17))


class FineTune(Strict):
    """How training continues after the head, with the blocks from `from_block` on.

    In each epoch an image is shown as one of its `views` (see `_frozen_maps.augment`). With `patience`, training ends after so
    many epochs without a lower loss on held-out samples (`stop_fraction` of the groups), and the weights of the best epoch are
    kept; without, training uses all samples in all epochs.
    """

    from_block: Literal[BLOCKS] = "block_13"  # type: ignore[valid-type]
    views: int = Field(8, ge=1)
    epochs: int = Field(10, ge=1)
    learning_rate: float = Field(3e-4, gt=0)
    batch_size: int = Field(32, ge=1)
    patience: int | None = Field(None, ge=1)
    stop_fraction: float = Field(0.15, gt=0, lt=0.5)

    def trains(self, layers: Iterable[str]) -> bool:
        """Return whether one of `layers`, named as block_6_expand_relu, is in a block that is trained."""
        number = BLOCKS.index(self.from_block)
        return any(BLOCKS.index("_".join(layer.split("_")[:2])) >= number for layer in layers)


def stopping_part(y: np.ndarray, groups: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Return the samples held out for early stopping, bool (n,): about `fraction` of each class, in whole groups.

    Raises DataError where a class has a single group, which cannot be on both sides.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    n_parts = min(round(1 / fraction), *(len(np.unique(groups[y == k])) for k in np.unique(y)))
    if n_parts < 2:
        raise DataError("early stopping needs two groups of each class in a training fold; leave fine_tune out")
    parts = StratifiedGroupKFold(n_parts, shuffle=True, random_state=seed)
    _, chosen = next(parts.split(y, y, groups))
    return np.isin(np.arange(len(y)), chosen)


def tail_of(model: Any, block: str) -> Any:
    """Return the layers of a Keras `model` from `block` on as a trainable model that shares them.

    Batch normalisation keeps its statistics everywhere.
    """
    tail = _network.import_keras().Model(block_input(model, block), model.output)
    for layer in tail.layers:
        layer.trainable = type(layer).__name__ != "BatchNormalization"
    return tail


def learning_rate(keras: Any, highest: float, epochs: int, steps: int) -> Any:
    """Return a Keras schedule: from 0 to `highest` in the first of `epochs` of `steps` each, then to 0 along a cosine.

    Adam takes its first steps while its variance is estimated from few gradients; the rise keeps them small (Liu et al., On the
    Variance of the Adaptive Learning Rate and Beyond, ICLR 2020).
    """
    if epochs == 1:
        return keras.optimizers.schedules.CosineDecay(highest, steps)
    return keras.optimizers.schedules.CosineDecay(0.0, steps * (epochs - 1), warmup_target=highest, warmup_steps=steps)


def progress(keras: Any, label: str, epochs: int, first: int, may_stop: bool) -> Any:
    """Return a Keras callback that prints a line an epoch, with the losses; early stopping monitors val_loss."""
    start = time.monotonic()

    def print_epoch(epoch: int, logs: dict[str, float]) -> None:
        left = (time.monotonic() - start) / (epoch + 1 - first) * (epochs - epoch - 1)
        losses = ", ".join(f"{name} {logs[name]:.4f}" for name in ("loss", "val_loss") if name in logs)
        at_most = " at most" * may_stop
        print(f"{label}: epoch {epoch + 1}/{epochs}, {losses}, {left:.0f} s left{at_most}", file=sys.stderr, flush=True)

    return keras.callbacks.LambdaCallback(on_epoch_end=print_epoch)
