"""How far the training of a network has come, kept after every epoch: one that is interrupted goes on with the same bits."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core import artifacts


def key(*parts: Any) -> str:
    """Return 16 hex digits for arrays and JSON content that decide how a training ends."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.tobytes() if isinstance(part, np.ndarray) else json.dumps(part, sort_keys=True).encode()
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()[:16]


def make_checkpoint(keras: Any) -> type:
    """Return a Keras callback class that keeps a training's state in a file."""

    class Checkpoint(keras.callbacks.Callback):
        """Give it after all other callbacks to `fit`, with `initial_epoch=checkpoint.first_epoch(epochs)`.

        The state is that of the model (weights, and the place in the sequence of dropout's random numbers), of its optimizer, and
        of `stopping`, the EarlyStopping callback, if there is one. `history`: the losses of all epochs by name.
        """

        def __init__(self, path: Path, stopping: Any = None):
            super().__init__()
            self.path, self.stopping, self.history, self.kept = path, stopping, {}, {}
            if path.exists():
                self.kept = dict(np.load(path))
                self.history = json.loads(str(self.kept["history"]))

        @property
        def epochs_done(self) -> int:
            return len(self.history.get("loss", []))

        def first_epoch(self, epochs: int) -> int:
            """Return the number of the epoch with which training goes on; `epochs` where it has ended."""
            stopped = self.kept and self.stopping and json.loads(str(self.kept["stopping"]))["stopped_epoch"] > 0
            return epochs if stopped else self.epochs_done

        def on_train_begin(self, logs: Any = None) -> None:
            if not self.kept:
                return
            self.model.optimizer.build(self.model.trainable_variables)
            for name, variable in self._variables():
                variable.assign(self.kept[name])
            if self.stopping:
                said = json.loads(str(self.kept["stopping"]))
                best = [self.kept[f"best {at}"] for at in range(said.pop("n_best"))]
                self.stopping.__dict__.update(said, best_weights=best or None)
            self.kept = {}

        def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
            for name, value in logs.items():
                self.history.setdefault(name, []).append(float(value))
            state = {name: np.asarray(variable) for name, variable in self._variables()}
            if self.stopping:
                best = self.stopping.best_weights or []
                state |= {f"best {at}": array for at, array in enumerate(best)}
                said = {name: getattr(self.stopping, name) for name in ("best", "best_epoch", "wait", "stopped_epoch")}
                state["stopping"] = np.array(json.dumps(said | {"n_best": len(best)}, default=float))
            artifacts.write_npz(self.path, state | {"history": np.array(json.dumps(self.history))})

        def _variables(self) -> list[tuple[str, Any]]:
            both = {"model": self.model.variables, "optimizer": self.model.optimizer.variables}
            return [(f"{of} {at}", one) for of, them in both.items() for at, one in enumerate(them)]

    return Checkpoint
