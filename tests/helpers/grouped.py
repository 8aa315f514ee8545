"""A project whose samples come in groups of one to four, each of one class."""

from pathlib import Path

import numpy as np

from pipeline import holdout, select_best
from pipeline.data.dataset import Dataset
from tests.helpers.models import dataset, mixed, train_and_evaluate, write_params

MODELS = {"line": {"estimator": "logreg"}, "floor": {"estimator": "dummy"}}
GROUPS = np.repeat(np.arange(60), np.arange(60) % 4 + 1)  # of one to four samples


def grouped(seed: int = 0, n_classes: int = 2, folds: int = 5) -> Dataset:
    """Return samples of 60 groups, all of a group with one label, and which differ from each other by chance."""
    y = (np.arange(60) // 2 % n_classes)[GROUPS]
    X, _ = mixed(len(y), n_classes, seed)
    rng = np.random.default_rng(seed)
    X["size"] = y + rng.normal(size=len(y)) * 1.5
    return dataset(X[["size"]], y, GROUPS, folds)


def project(folder: Path, **select: object) -> None:
    """Make the current folder a project of `grouped` samples, evaluated to the end."""
    write_params(MODELS, **select)
    grouped().save(Path("data/t/dev.npz"))
    grouped(seed=5, folds=0).save(Path("data/t/test.npz"))
    train_and_evaluate(MODELS)
    select_best.main("t")
    holdout.main("t")
