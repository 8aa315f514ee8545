"""What Keras calls while a network is fine-tuned: batches of frozen feature maps, and a checkpoint after every epoch.

Keras' own BackupAndRestore saves neither the state of early stopping nor that of dropout's random numbers. Import this module
inside functions only: it imports TensorFlow.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core import artifacts
from pipeline.estimators import _network

keras = _network.import_keras()
STOPPING = ("best", "best_epoch", "wait", "stopped_epoch")  # the state of EarlyStopping, next to its best weights


class Checkpoint(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
    """Save training after every epoch, so that an interrupted one resumes and ends with the same bits.

    Pass it to `fit` after all other callbacks, with `initial_epoch=checkpoint.first_epoch(epochs)`. It saves the state of the
    model (weights and dropout's random generator), of its optimizer, and of `stopping`, the EarlyStopping callback, if there is
    one. `history`: the losses of all epochs by name.
    """

    def __init__(self, path: Path, stopping: Any = None):
        super().__init__()
        self.path, self.stopping = path, stopping
        self.saved: dict[str, np.ndarray] = dict(np.load(path)) if path.exists() else {}
        self.history: dict[str, list[float]] = json.loads(str(self.saved["history"])) if self.saved else {}

    @property
    def epochs_done(self) -> int:
        """The number of epochs that have ended."""
        return len(self.history.get("loss", []))

    def first_epoch(self, epochs: int) -> int:
        """Return the number of the epoch with which training resumes; `epochs` where it has ended."""
        stopped = self.saved and self.stopping and json.loads(str(self.saved["stopping"]))["stopped_epoch"] > 0
        return epochs if stopped else self.epochs_done

    def on_train_begin(self, logs: Any = None) -> None:
        """Restore the saved state."""
        if not self.saved:
            return
        self.model.optimizer.build(self.model.trainable_variables)
        for name, variable in self._variables():
            variable.assign(self.saved[name])
        if self.stopping:
            state = json.loads(str(self.saved["stopping"]))
            best = [self.saved[f"best {index}"] for index in range(state.pop("n_best"))]
            self.stopping.__dict__.update(state, best_weights=best or None)
        self.saved = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Save the state."""
        for name, value in logs.items():
            self.history.setdefault(name, []).append(float(value))
        arrays = {name: np.asarray(variable) for name, variable in self._variables()}
        if self.stopping:
            best = self.stopping.best_weights or []
            arrays |= {f"best {index}": array for index, array in enumerate(best)}
            state = {name: vars(self.stopping)[name] for name in STOPPING} | {"n_best": len(best)}
            arrays["stopping"] = np.array(json.dumps(state, default=float))
        artifacts.write_npz(self.path, arrays | {"history": np.array(json.dumps(self.history))})

    def _variables(self) -> list[tuple[str, Any]]:
        owners = {"model": self.model.variables, "optimizer": self.model.optimizer.variables}
        return [
            (f"{owner} {n}", variable) for owner, variables in owners.items() for n, variable in enumerate(variables)
        ]


class Batches(keras.utils.PyDataset):  # type: ignore[misc, name-defined]
    """Batches of maps float32 (size, height, width, n_channels), y and weight, starting at `epoch`.

    `maps`, float16 (n_all, n_views, height, width, n_channels), are read one batch at a time; `rows`, int (n,), are used.
    With a `seed` order and views are drawn for each epoch; without, rows keep their order and have their first view.
    """

    def __init__(
        self,
        maps: np.ndarray,
        rows: np.ndarray,
        y: np.ndarray,
        weight: np.ndarray,
        size: int,
        seed: int | None = None,
        epoch: int = 0,
    ):
        super().__init__(workers=1)
        self.maps, self.rows, self.y, self.weight = maps, rows, y, weight
        self.size, self.seed, self.epoch = size, seed, epoch
        self._draw()

    def __len__(self) -> int:
        return -(-len(self.y) // self.size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        batch = slice(index * self.size, (index + 1) * self.size)
        samples = self.order[batch]
        maps = self.maps[self.rows[samples], self.view[batch]]
        return maps.astype(np.float32), self.y[samples], self.weight[samples]

    def on_epoch_end(self) -> None:
        """Draw order and views of the next epoch."""
        self.epoch += 1
        self._draw()

    def _draw(self) -> None:
        if self.seed is None:
            self.order, self.view = np.arange(len(self.y)), np.zeros(len(self.y), int)
        else:
            rng = np.random.default_rng([self.seed, self.epoch])
            self.order, self.view = rng.permutation(len(self.y)), rng.integers(self.maps.shape[1], size=len(self.y))
