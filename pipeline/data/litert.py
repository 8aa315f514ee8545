"""Run a network as a LiteRT program: embeddings, probabilities and feature maps of one image at a time."""

import os
import queue
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np

from pipeline.core.suppress_output import quiet
from pipeline.data.images.squares import SIZE

NOT_ASKED = np.empty(0, np.float32)


@dataclass(frozen=True)
class Inference:
    """What one run of a network returns for one image. The arrays are copies that no later run changes.

    `output`: float32 (n_outputs,), the embedding or the probabilities. `frozen_mean`: float32 (n_features,), the mean over
    positions of maps that were not fine-tuned (see `_network.ood_means`), from which the distance to the training data is
    computed. `feature_map`: float32 (7, 7, n_features), the last one; its mean is the embedding. The latter two are empty
    unless they were asked for.
    """

    output: np.ndarray
    frozen_mean: np.ndarray
    feature_map: np.ndarray


class Embedder:
    """A network as a LiteRT program: one image in, one embedding, or the probabilities, out, and maps of the image.

    Batch 1 and one thread per interpreter everywhere, so that an embedding has the same bits in the scan, on the command
    line and in a server. Any number of threads may share an Embedder: each run has an interpreter to itself, and at most
    `n_interpreters` (one per core) are created, when they are first needed. Further threads wait.
    """

    def __init__(self, program: bytes, n_interpreters: int | None = None):
        self._program, self.n_interpreters = program, n_interpreters or cores()
        # None stands for an interpreter that does not exist yet. Last in, first out: one thread needs only one.
        self._pool: queue.LifoQueue[_Interpreter | None] = queue.LifoQueue()
        for _ in range(self.n_interpreters):
            self._pool.put(None)

    def __reduce__(self) -> tuple:
        return Embedder, (self._program, self.n_interpreters)

    @contextmanager
    def _interpreter(self) -> Iterator["_Interpreter"]:
        interpreter = self._pool.get()
        try:
            interpreter = interpreter or _Interpreter(self._program)
            yield interpreter
        finally:
            self._pool.put(interpreter)

    @property
    def size(self) -> int:
        """Length of the output."""
        with self._interpreter() as interpreter:
            return interpreter.size

    @property
    def n_frozen(self) -> int:
        """Length of `Inference.frozen_mean`."""
        with self._interpreter() as interpreter:
            return interpreter.n_frozen

    def warm_up(self, n_threads: int) -> None:
        """Create and run the interpreters that `n_threads` need. Call it before threads share the embedder."""
        with ExitStack() as stack:
            for _ in range(min(n_threads, self.n_interpreters)):
                stack.enter_context(self._interpreter()).run(np.zeros((SIZE, SIZE, 3), np.uint8))

    def run(self, square: np.ndarray, frozen_mean: bool = False, feature_map: bool = False) -> Inference:
        """Run the program on a uint8 RGB (SIZE, SIZE, 3) image; return its output and what else is asked for."""
        with self._interpreter() as interpreter:
            return interpreter.run(square, frozen_mean, feature_map)

    def __call__(self, square: np.ndarray) -> np.ndarray:
        """Return the program's (n_outputs,) float32 for a uint8 RGB (SIZE, SIZE, 3) image."""
        return self.run(square).output


class _Interpreter:
    """A LiteRT interpreter with the indices of its tensors. One thread at a time may run it."""

    _lock = threading.Lock()  # `quiet` turns the screen off for the whole process: two at once could leave it off

    def __init__(self, program: bytes):
        from ai_edge_litert.interpreter import Interpreter

        with self._lock, quiet():
            self._interpreter = Interpreter(model_content=program, num_threads=1)
            self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        outputs = sorted(
            self._interpreter.get_output_details(), key=lambda output: (len(output["shape"]), *output["shape"])
        )
        self._output, self.size = outputs[0]["index"], int(outputs[0]["shape"][-1])
        frozen = (outputs[1:] or outputs)[0]
        self._frozen_map, self._feature_map = frozen["index"], outputs[-1]["index"]
        self.n_frozen = int(frozen["shape"][-1])

    def run(self, square: np.ndarray, frozen_mean: bool = False, feature_map: bool = False) -> Inference:
        """See `Embedder.run`."""
        self._interpreter.set_tensor(self._input, square[None])
        self._interpreter.invoke()
        copy_of = self._interpreter.get_tensor
        return Inference(
            copy_of(self._output)[0],
            copy_of(self._frozen_map)[0].mean(axis=(0, 1)) if frozen_mean else NOT_ASKED,
            copy_of(self._feature_map)[0] if feature_map else NOT_ASKED,
        )


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
