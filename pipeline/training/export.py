"""Write a fitted model, its results out of fold and its description."""

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core import artifacts
from pipeline.core.artifacts import JSON
from pipeline.core.installed_class import is_class_name, versions
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require
from pipeline.data.images.squares import SIZE
from pipeline.estimators._protocol import Model
from pipeline.training.candidate import Candidate, Tuned
from pipeline.training.cross_fit import CrossFit
from pipeline.training.job import Job

# What a model of images takes; the data set's rule for pixels, where it is not the default, is added.
INPUT: dict[str, str | int] = {"width": SIZE, "height": SIZE, "mode": "RGB", "dtype": "uint8", "resample": "bilinear"}
LIBRARIES = {
    "joblib": ("scikit-learn", "numpy", "ai-edge-litert"),
    "keras": ("tensorflow", "tensorflow-cpu", "keras", "numpy", "ai-edge-litert"),
}


def save_model(model: Model, folder: Path) -> None:
    """Write the fitted model; delete the files of an earlier one."""
    folder.mkdir(parents=True, exist_ok=True)
    for left_over in model_files(folder):
        left_over.unlink()
    model.save(folder)


def model_files(folder: Path) -> list[Path]:
    """Return the files of a candidate that a prediction needs."""
    return sorted([*folder.glob("model.*"), *folder.glob("known.npz")])


def describe_candidate(job: Job, tuned: Tuned | None = None, chosen: JSON | None = None) -> Candidate:
    """Return the candidate whose files lie in the job's folder; `chosen`: what the fit itself chose."""
    files = {path.name: artifacts.sha256(path.read_bytes()) for path in model_files(job.folder)}
    is_network = "model.keras" in files
    libraries = installed(LIBRARIES["keras" if is_network else "joblib"])
    own = versions(job.model.estimator) if is_class_name(job.model.estimator) else {}
    return Candidate(
        task=job.model.task,
        model=job.name,
        estimator=job.model.estimator,
        features="pixels" if is_network else job.model.features,
        hyperparameters={"features": job.model.features} | job.model.own | (chosen or {}),
        kind=job.task.kind,
        classes=job.dev.classes,
        positive=job.dev.positive,
        input=describe_input(job),
        # A release such as 3.11.2 changes neither results nor what can be loaded, and would change the bytes
        versions={"python": ".".join(map(str, sys.version_info[:2]))} | libraries | own,
        data_fingerprint=job.dev.fingerprint,
        files=files,
        schema=job.schema,
        tuned=tuned,
    )


def describe_input(job: Job) -> JSON | None:
    """Return what the model takes: an image, or a vector of the user's features; None for a row of a table."""
    if job.task.kind == "table":
        return None
    return {"vector": job.X.shape[1], "dtype": "float32"} if job.takes_vectors else INPUT | job.dev.pixel_rule


def installed(packages: tuple[str, ...]) -> dict[str, str]:
    """Return the version of each installed package; tensorflow has one of two names."""
    versions = {}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def write_results(folder: Path, candidate: Candidate, fitted: CrossFit, ood: dict[str, np.ndarray]) -> None:
    """Write oof.npz with the arrays `ood` (see `prediction.ood_reference`), history.csv, importance.csv and candidate.json."""
    artifacts.write_npz(folder / "oof.npz", {"proba": fitted.oof} | ood)
    artifacts.write_csv(folder / "history.csv", fitted.history)
    if fitted.importance is not None:
        artifacts.write_csv(folder / "importance.csv", summarise_importance(fitted.importance))
    candidate.write(folder)


def read_oof(task: str, model: str, root: Path = Path()) -> np.ndarray:
    """Return a model's out-of-fold probabilities, float64 (n_repeats * n, n_classes), one repeat after the other."""
    return np.load(require(TaskPaths(task, root).oof(model), f"train@{model}"))["proba"]


def summarise_importance(importance: pd.DataFrame) -> pd.DataFrame:
    """Return column, importance (the mean over folds), low and high, the most important column first."""
    table = pd.DataFrame(
        {
            "column": importance.columns,
            "importance": importance.mean(),
            "low": importance.min(),
            "high": importance.max(),
        }
    )
    return table.sort_values(["importance", "column"], ascending=[False, True])
