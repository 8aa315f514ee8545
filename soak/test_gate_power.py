"""What the gate of retraining lets pass: batches of 20 to 100 samples with correct, and with half-wrong labels.

Each repetition draws a development set of 200 patients and a batch from the same source, cross-fits a logistic regression without
and with the batch in every training fold, and asks the gate's own code. Rows are written as they come, and a run goes on where
one ended.
"""

import csv
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from benchmarks import figures
from benchmarks.figures import Figure
from pipeline.core.params_models import RetrainParams
from pipeline.data.dataset import Dataset
from pipeline.retraining.comparison import Side, differences, gate

ROWS = figures.HERE / "results" / "soak_gate_power.csv"
REPETITIONS, N, DRAWS, FEATURES = 40, 200, 200, 10
SIZES, KINDS = (20, 50, 100), ("correct", "half wrong")


def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return n patients: ten features, of which three tell the classes apart, and the class."""
    y = rng.integers(0, 2, n)
    X = rng.normal(size=(n, FEATURES))
    X[:, :3] += 0.6 * y[:, None]
    return X, y


def out_of_fold(X: np.ndarray, y: np.ndarray, more_X: np.ndarray, more_y: np.ndarray) -> np.ndarray:
    """Return probabilities (n, 2) out of fold, by models that also saw the batch."""
    proba = np.empty((len(y), 2))
    for fitted, held_out in StratifiedKFold(5, shuffle=True, random_state=7).split(X, y):
        model = LogisticRegression(C=1.0).fit(np.vstack([X[fitted], more_X]), np.append(y[fitted], more_y))
        proba[held_out] = model.predict_proba(X[held_out])
    return proba


def side(X: np.ndarray, y: np.ndarray, more_X: np.ndarray, more_y: np.ndarray) -> Side:
    """Return one side of a comparison."""
    ids = np.array([f"{n:04}" for n in range(len(y))])
    dev = Dataset(ids, ids, ids, y, np.zeros(len(y), int), ["benign", "malignant"], {})
    proba = out_of_fold(X, y, more_X, more_y)
    return Side("line", "", dev, proba, proba, proba.argmax(axis=1))


def passes(size: int, kind: str, seed: int) -> bool:
    """Return whether the gate lets a batch pass."""
    rng = np.random.default_rng([seed, size])
    X, y = draw(rng, N)
    more_X, more_y = draw(rng, size)
    if kind == "half wrong":
        wrong = rng.permutation(size) < size // 2
        more_y = np.where(wrong, 1 - more_y, more_y)
    champion = side(X, y, np.empty((0, FEATURES)), np.empty(0, int))
    overall, _ = differences(champion, side(X, y, more_X, more_y), DRAWS, 7)
    rule = RetrainParams()
    return not gate(overall, rule.guarded, rule.margin)


def measured() -> dict[tuple[int, str], list[int]]:
    """Return the results by size and kind, of this run and those before it."""
    done: dict[tuple[int, str], list[int]] = {(size, kind): [] for size in SIZES for kind in KINDS}
    if ROWS.exists():
        with ROWS.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                done[int(row["size"]), row["kind"]].append(int(row["passed"]))
    return done


def add_row(path: Path, *cells: object) -> None:
    """Add a row to the file."""
    is_new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        write = csv.writer(file, lineterminator="\n").writerow
        if is_new:
            write(["size", "kind", "seed", "passed"])
        write(cells)


def test_correct_batches_pass_more_often_than_half_wrong_ones():
    done = measured()
    for seed in range(REPETITIONS):
        for (size, kind), results in done.items():
            if len(results) <= seed:
                results.append(int(passes(size, kind, seed)))
                add_row(ROWS, size, kind, seed, results[-1])
    shares = {key: np.mean(results) for key, results in done.items()}
    how = f"of {REPETITIONS} batches, {N} development samples, margin {RetrainParams().margin:g}"
    rows = [
        Figure(f"{size} samples, {kind}: passes", 100 * share, how, unit="%") for (size, kind), share in shares.items()
    ]
    figures.save("soak_gate_power", "What the gate of retraining lets pass", rows, command="make soak")
    assert all(shares[size, "correct"] >= shares[size, "half wrong"] for size in SIZES)
