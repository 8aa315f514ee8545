"""One answer to 50 images of a patient against 50 answers: what pooling, and each image's contribution, cost."""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import Figure, save
from pipeline.core.paths import TaskPaths
from pipeline.data.synthetic.example import example
from pipeline.prediction.predictor import Predictor

N, TURNS = 50, 15


def seconds(work: Callable[[], object]) -> float:
    """Return how long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(folder: str = "") -> None:
    """Measure the bundle in `folder`, by default that of the demo."""
    best = Path(folder) if folder else TaskPaths("lesions").best
    if not (best / "bundle.json").exists():
        sys.exit(f"benchmarks.group needs {best.as_posix()}: run 'dvc repro'")
    predictor = Predictor(best)
    if not predictor.rule.pooling:
        sys.exit(f"benchmarks.group: {predictor.id} pools nothing: run 'dvc repro' with this version")
    files = [(f"{number}.png", example(number)) for number in range(1, N + 1)]
    ratios, apart = [], []
    for _ in range(TURNS):
        alone = seconds(lambda: [predictor.predict(data, name) for name, data in files])
        together = seconds(lambda: predictor.predict_group(files, "patient"))
        ratios.append(together / alone)
        apart.append(alone)
    how = f"median of {TURNS} turns, from {min(ratios):.3f} to {max(ratios):.3f}; {predictor.id}, {predictor.rule.pooling}"
    save(
        "group",
        "One answer to a patient",
        [
            Figure(f"{N} images of one patient, against {N} answers", statistics.median(ratios), how, at_most=1.05),
            Figure(f"{N} answers", statistics.median(apart), "one thread", unit="s"),
        ],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
