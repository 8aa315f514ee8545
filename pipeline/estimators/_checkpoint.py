"""Save a network's training after every epoch, so that an interrupted one resumes and ends with the same bits.

Keras' own BackupAndRestore saves neither the state of early stopping nor that of dropout's random numbers. Import it inside
functions only: it imports TensorFlow.
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
    """Pass it to `fit` after all other callbacks, with `initial_epoch=checkpoint.first_epoch(epochs)`.

    It saves the state of the model (weights and dropout's random generator), of its optimizer, and of `stopping`, the
    EarlyStopping callback, if there is one. `history`: the losses of all epochs by name.
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
