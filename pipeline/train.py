"""Stage `train@model`: cross-fit a model over the common folds, then fit it on the whole development set.

Reads dev.npz only. Writes to `models/<task>/candidates/<model>/`: the model (`model.joblib`, or `model.keras` with its twin
`model.tflite`), oof.npz (`proba` float64 (n_dev, n_classes): each sample's probabilities by the model that did not see it;
`distance` (n_dev,): how unlike the other folds it is), of pictures known.npz (see `pipeline.familiarity`), history.csv (fold,
epoch, loss, val_loss) and candidate.json (all of the bundle that training knows).
"""

import importlib
import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from pipeline import artifacts, familiarity, images, params, ranges, tables
from pipeline.dataset import Dataset
from pipeline.parallel import on_cluster, one_thread, run_here, run_parallel
from pipeline.params import ModelParams
from pipeline.stage import DataError, require, run

INPUTS = {
    "image": {"width": images.SIZE, "height": images.SIZE, "mode": "RGB", "dtype": "uint8", "resample": "bilinear"},
    "table": None,
}
LIBRARIES = {
    "joblib": ("scikit-learn", "numpy", "ai-edge-litert"),
    "keras": ("tensorflow", "tensorflow-cpu", "keras", "numpy", "ai-edge-litert"),
}


def rows_of(X: Any, rows: np.ndarray) -> Any:
    """Return the samples at `rows` of an array, a DataFrame or anything indexed like an array."""
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]


def cross_fit(build: Any, X: Any, dev: Dataset, workers: int, label: str) -> tuple[Any, np.ndarray, pd.DataFrame]:
    """Return the estimator fitted on all samples, out-of-fold probabilities float64 (n, n_classes), and every fold's history.

    `build()` makes an unfitted estimator. An estimator that records its own epochs has `history_`; of the others the
    history is one line a fold: the log loss on what it was fitted on, and on what it was not.
    """
    dev = replace(dev, arrays={})  # the features are in X, and a fold's work may travel to another machine

    def fit_on_all() -> Any:
        return fit(build(), X, dev, np.arange(len(dev.y)), f"{label} on all")

    def fit_fold(fold: int) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
        fitted_on, held_out = np.flatnonzero(dev.fold != fold), np.flatnonzero(dev.fold == fold)
        check_classes(dev, fitted_on)
        looked_at = rows_of(X, held_out), dev.y[held_out]
        estimator = fit(build(), X, dev, fitted_on, f"{label} fold {fold + 1}", looked_at)
        proba = probabilities(estimator, rows_of(X, held_out))
        history = getattr(estimator, "history_", None)
        if history is None:
            known = probabilities(estimator, rows_of(X, fitted_on))
            losses = log_loss(known, dev.y[fitted_on]), log_loss(proba, dev.y[held_out])
            history = pd.DataFrame([[1, *losses]], columns=["epoch", "loss", "val_loss"])
        return held_out, proba, history.assign(fold=fold)

    folds = list(range(int(dev.fold.max()) + 1))
    # Side by side the fit on all, the largest piece of work, goes first: after the folds one core would wait for it.
    # Not on a cluster: what has come through pickle is written as other bytes, though it is the same model.
    together = workers > 1 and not on_cluster()
    pieces = [None, *folds] if together else folds
    done = run_parallel(lambda fold: fit_on_all() if fold is None else fit_fold(fold), pieces, workers)
    shown = iter(tqdm(done, label, total=len(pieces), unit=" fits", delay=3))
    fitted = [next(shown)] if together else []
    oof, histories = np.full((len(dev.y), len(dev.classes)), np.nan), []
    for held_out, proba, history in shown:
        oof[held_out] = proba
        histories.append(history)
    estimator = fitted[0] if fitted else next(run_here(lambda _: fit_on_all(), [None], 1))
    return estimator, oof, pd.concat(histories)[["fold", "epoch", "loss", "val_loss"]]


def fit(estimator: Any, X: Any, dev: Dataset, rows: np.ndarray, label: str, looked_at: tuple | None = None) -> Any:
    """Return the estimator fitted on some rows.

    A network is also given their groups, to stop early on whole ones, and `looked_at` (X, y) for its learning curve.
    """
    if hasattr(estimator, "fit_grouped"):
        return estimator.fit_grouped(rows_of(X, rows), dev.y[rows], dev.group[rows], label, looked_at)
    return estimator.fit(rows_of(X, rows), dev.y[rows])


def check_classes(dev: Dataset, rows: np.ndarray) -> None:
    """Raise DataError, naming it, where a class has no sample among `rows`."""
    absent = [name for k, name in enumerate(dev.classes) if not (dev.y[rows] == k).any()]
    if absent:
        raise DataError(f"a training fold lacks the class {', '.join(absent)}; collect more of it or lower split.folds")


def probabilities(estimator: Any, X: Any) -> np.ndarray:
    """Return predict_proba as float64 (n, n_classes)."""
    return np.asarray(estimator.predict_proba(X), dtype=np.float64).clip(0, 1)  # a sum of votes may end a hair above 1


def log_loss(proba: np.ndarray, y: np.ndarray) -> float:
    """Return the mean negative logarithm of the probability of the true class, clipped at 1e-15."""
    return float(-np.log(np.clip(proba[np.arange(len(y)), y], 1e-15, 1)).mean())


def save(estimator: Any, folder: Path) -> dict[str, str]:
    """Write the fitted estimator in place of any other and return {file name: SHA-256}."""
    for left_over in folder.glob("model.*"):
        left_over.unlink()
    if hasattr(estimator, "save"):
        estimator.save(folder)
    else:
        import joblib

        with artifacts.replacing(folder / "model.joblib") as part:
            joblib.dump(estimator, part)
    return {path.name: artifacts.sha256(path.read_bytes()) for path in sorted(folder.glob("model.*"))}


def judge_familiarity(estimator: Any, X: Any, dev: Dataset, candidate: dict[str, Any], folder: Path) -> np.ndarray:
    """Return how unlike the other folds each sample is, (n,); of pictures also write known.npz, which the bundle takes along."""
    if candidate["schema"]:
        return ranges.out_of_fold(X, dev.fold)
    seen = estimator.embed(X) if hasattr(estimator, "embed") else X
    with one_thread():
        artifacts.write_npz(folder / "known.npz", familiarity.fit(seen))
        candidate["files"]["known.npz"] = artifacts.sha256((folder / "known.npz").read_bytes())
        return familiarity.out_of_fold(seen, dev.fold)


def describe(name: str, model: ModelParams, kind: str, dev: Dataset, files: dict[str, str]) -> dict[str, Any]:
    """Return candidate.json: what a prediction must know of the model, and where it comes from."""
    libraries = LIBRARIES["keras" if "model.keras" in files else "joblib"]
    return {
        "task": model.task,
        "model": name,
        "estimator": model.estimator,
        "features": model.features if "model.keras" not in files else "pixels",
        "hyperparameters": {"features": model.features} | model.own,
        "kind": kind,
        "classes": dev.classes,
        "positive": dev.positive,
        "input": INPUTS[kind],
        "versions": {"python": ".".join(map(str, sys.version_info[:3]))} | installed(libraries),
        "data_fingerprint": dev.fingerprint,
        "files": files,
    }


def installed(packages: tuple[str, ...]) -> dict[str, str]:
    """Return the version of each package that is there; tensorflow comes under one of two names."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def main(name: str) -> None:
    model = params.model(name)
    task = params.task(model.task)
    estimators = importlib.import_module(f"pipeline.estimators.{model.estimator}")
    own = params.parse(estimators.Params, model.own, f"models.{name}")
    data = require(f"data/{model.task}/dev.npz", f"preprocess@{model.task}").parent
    dev = Dataset.load(data / "dev.npz")
    folder = Path(f"models/{model.task}/candidates/{name}")
    folder.mkdir(parents=True, exist_ok=True)

    workers = side_by_side = params.workers()

    def build() -> Any:
        if hasattr(estimators, "use_workers"):  # here, because it is the process that fits which has to know
            estimators.use_workers(workers)
        return estimators.build(own, params.seed())

    if model.features == "pixels":
        X = estimators.Pictures(dev.X("embedding"), np.load(data / "dev_pixels.npy", mmap_mode="r"))
    else:
        X = dev.X(model.features)
    if hasattr(estimators, "check_size"):
        estimators.check_size(own, len(dev.y) - np.bincount(dev.fold).max(), f"params.yaml: models.{name}")
    if hasattr(estimators, "use_workers"):
        side_by_side = estimators.use_workers(workers)
    estimator, oof, history = cross_fit(build, X, dev, side_by_side, f"train {name}")
    candidate = describe(name, model, task.kind, dev, save(estimator, folder))
    candidate["schema"] = tables.schema(X, task.preprocess.units) if model.features == "columns" else None
    distance = judge_familiarity(estimator, X, dev, candidate, folder)
    artifacts.write_npz(folder / "oof.npz", {"proba": oof, "distance": distance})
    artifacts.write_csv(folder / "history.csv", history)
    artifacts.write_json(folder / "candidate.json", candidate)


if __name__ == "__main__":
    run(main)
