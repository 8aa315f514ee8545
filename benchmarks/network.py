"""Fine-tuning: the project's loop against Keras' own on arrays in memory, and what saves time and what does not.

What the recipes are worth is in network.md. Speed does not depend on what is in an image, so images of noise are learnt from.
"""

import contextlib
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.figures import Figure, ratio, save
from pipeline.estimators import _network, mobilenetv2
from pipeline.estimators._fine_tuning import FineTune
from pipeline.estimators._frozen_maps import MappedImages, frozen_maps, map_images
from pipeline.estimators._head import fit_head

N, EPOCHS, TURNS = 320, 2, 2
FIT_EPOCHS = 6  # of the fit whose duration is said before
MORE = 3  # times as many images, for memory
TUNE = FineTune(views=2, epochs=EPOCHS)
FULL = 64  # images for the whole network, which is slow


def noise_images(n: int, folder: Path) -> tuple[MappedImages, np.ndarray]:
    """Return n images of noise, whose pixels lie in a file in `folder`, with classes; the embeddings are noise, too."""
    rng, file = np.random.default_rng(7), folder / f"pixels-{n}.npy"
    pixels = np.lib.format.open_memmap(file, "w+", np.uint8, (n, 224, 224, 3))
    for row in range(n):
        pixels[row] = rng.integers(0, 256, (224, 224, 3))
    pixels.flush()
    embedding = rng.random((n, _network.N_FEATURES), dtype=np.float32)
    return map_images(embedding, np.load(file, mmap_mode="r"), folder), np.arange(n) % 2


def classifier(X: MappedImages, y: np.ndarray, tune: FineTune = TUNE) -> mobilenetv2.MobileNetV2Classifier:
    """Return a classifier whose head is fitted."""
    made = mobilenetv2.build(mobilenetv2.Params(epochs=1, fine_tune=tune), 7)
    made.head_, _ = fit_head(X.embedding, y, made.params, 7, None)
    return made


def quickest(work: Callable[[], Any]) -> float:
    """Return the fewest seconds of TURNS turns, after one that compiles."""
    seconds = []
    for _ in range(TURNS + 1):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])


def timed_epochs(made: mobilenetv2.MobileNetV2Classifier, X: MappedImages, y: np.ndarray) -> float:
    """Return the seconds of the last epoch of a fine-tuning, as its lines of progress come."""
    for file in X.scratch.glob("*.npz"):
        file.unlink()  # or it would go on from there
    stamps = []

    class Lines(io.StringIO):
        def write(self, text: str) -> int:
            if "epoch" in text:
                stamps.append(time.perf_counter())
            return len(text)

    with contextlib.redirect_stderr(Lines()):
        made._fine_tune(X, y, None, "bench")
    return stamps[-1] - stamps[-2]


def bare(made: mobilenetv2.MobileNetV2Classifier, X: np.ndarray, y: np.ndarray, block: str, n: int) -> float:
    """Return the seconds of an epoch of Keras' `fit` over arrays in memory, of the layers from `block` on."""
    model = made._make_tail(n) if block else whole(made, n)
    return quickest(lambda: model.fit(X, y, batch_size=TUNE.batch_size, verbose=0))


def whole(made: mobilenetv2.MobileNetV2Classifier, n: int) -> Any:
    """Return the network from pixels on, in which the same layers learn as in its tail."""
    tail = made._make_tail(n)
    learning = {layer.name for layer in tail.layers if layer.trainable}
    for layer in made.network_.layers:
        layer.trainable = layer.name in learning
    made.network_.compile(tail.optimizer, "sparse_categorical_crossentropy")
    return made.network_


def said_and_taken(folder: Path) -> tuple[float, float]:
    """Return the seconds that a whole fit is estimated to take, as `train` says them, and those that it takes."""
    X, y = noise_images(N, folder)
    made = mobilenetv2.build(mobilenetv2.Params(epochs=1, fine_tune=TUNE.model_copy(update={"epochs": FIT_EPOCHS})), 7)
    durations = made.durations(X, y, "bench")
    assert durations is not None
    start = time.perf_counter()
    with contextlib.redirect_stderr(io.StringIO()):
        made.fit(X, y, np.arange(N), "bench")
        made.predict_proba(X[np.arange(FULL)])
    return durations.fit + durations.learnt * N + durations.held_out * FULL, time.perf_counter() - start


def memory(n: int) -> float:
    """Return the memory, in MB, that a process has for its own after fine-tuning on n images; mapped files do not count."""
    command = [sys.executable, "-m", "benchmarks.network", "--memory", str(n)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def own_memory(n: int) -> float:
    """Do what `memory` returns, in this process."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        X, y = noise_images(n, Path(folder))
        classifier(X, y)._fine_tune(X, y, None, "bench")
        seen = psutil.Process().memory_info()
        return (seen.rss - seen.shared) / 1e6


def main() -> None:
    _network.use_threads(2)
    keras = _network.import_keras()
    with tempfile.TemporaryDirectory() as folder:
        X, y = noise_images(N, Path(folder))
        made = classifier(X, y)
        start = time.perf_counter()
        maps = frozen_maps(X, TUNE.from_block, TUNE.views, 7, "bench")
        of_view = (time.perf_counter() - start) / (N * TUNE.views)
        in_memory = maps[:, 0].astype(np.float32)
        epoch = min(timed_epochs(made, X, y) for _ in range(TURNS))
        of_tail = bare(made, in_memory, y, TUNE.from_block, N)
        of_whole = bare(made, np.asarray(X.pixels[:FULL]), y[:FULL], "", FULL) * N / FULL
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
        in_bfloat16 = bare(made, in_memory, y, TUNE.from_block, N)
        keras.mixed_precision.set_global_policy("float32")
    with tempfile.TemporaryDirectory() as folder:
        announced, taken = said_and_taken(Path(folder))
    little, much = memory(N), memory(N * MORE)
    figures = [
        ratio("an epoch from block_13 on: model.fit on arrays in memory against ours", of_tail, epoch, at_least=0.9),
        ratio("an epoch: model.fit from pixels on, its first blocks frozen, against ours", of_whole, epoch, at_least=0.9),
        ratio("the duration said before a fit against that taken", announced, taken, at_least=0.75, at_most=1.25),
        ratio("an epoch in bfloat16 against float32", in_bfloat16, of_tail),
        Figure("images learnt from a second", N / epoch, f"{N} images in {epoch:.3g} s"),
        Figure("views run through the frozen blocks a second", 1 / of_view, "LiteRT on both cores, drawing included"),
        Figure("memory's growth", much - little, f"{N} images {little:.0f} MB, {N * MORE} {much:.0f}", unit="MB", at_most=20),
    ]  # fmt: skip
    save("network", "Fine-tuning", figures)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        _network.use_threads(2)
        print(own_memory(int(sys.argv[2])))
    else:
        main()
