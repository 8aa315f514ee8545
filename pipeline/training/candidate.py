"""Write a fitted model and describe it: the content of candidate.json."""

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pipeline.core import artifacts
from pipeline.core.params_models import ModelParams
from pipeline.data import images
from pipeline.data.dataset import Dataset

INPUTS = {
    "image": {"width": images.SIZE, "height": images.SIZE, "mode": "RGB", "dtype": "uint8", "resample": "bilinear"},
    "table": None,
}
LIBRARIES = {
    "joblib": ("scikit-learn", "numpy", "ai-edge-litert"),
    "keras": ("tensorflow", "tensorflow-cpu", "keras", "numpy", "ai-edge-litert"),
}


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
