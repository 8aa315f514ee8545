"""A training job: the development samples, features and parameters from which one model is trained."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core import params
from pipeline.core.params_models import ModelParams, TaskParams
from pipeline.core.paths import TaskPaths
from pipeline.data import tables
from pipeline.data.dataset import Dataset
from pipeline.data.image_with_columns import ImageWithColumns
from pipeline.data.tabular.formats import Field
from pipeline.estimators._frozen_maps import MappedImages, load_images
from pipeline.estimators._protocol import Estimator, Model, get_estimator
from pipeline.training.cross_fit import plan


@dataclass(frozen=True)
class Job:
    """The training of the model `name`. `blocks`: the estimator's parameters, one for each combination of listed values."""

    name: str
    model: ModelParams
    task: TaskParams
    estimator: Estimator
    blocks: list[Any]
    dev: Dataset
    X: Any

    @property
    def folder(self) -> Path:
        """Where the candidate is written."""
        return TaskPaths(self.model.task).candidate(self.name)

    @property
    def is_tuned(self) -> bool:
        """Whether there are several combinations, of which tuning chooses one."""
        return len(self.blocks) > 1

    @property
    def takes_vectors(self) -> bool:
        """Whether the features are the user's, so that the model answers from vectors and not from images."""
        return self.model.features == "embedding" and bool(self.dev.vector_names)

    @property
    def builds(self) -> list[Callable[[], Model]]:
        """Functions that return an unfitted model, one for each combination."""
        seed, workers = params.seed(), params.workers()
        return [partial(self.estimator.make_model, block, seed, workers) for block in self.blocks]

    @cached_property
    def schema(self) -> list[Field]:
        """The schema of the columns, or of the user's features; empty where the features have none."""
        if self.takes_vectors:
            return tables.schema(pd.DataFrame(np.asarray(self.X, np.float64), columns=self.dev.vector_names), {})
        if not self.model.features.endswith("columns"):
            return []
        columns = self.X.columns if isinstance(self.X, ImageWithColumns) else self.X
        return tables.schema(columns, self.task.preprocess.units, self.dev.formats)


def load_job(name: str) -> Job:
    """Return the job of the model `name`; raise ParamsError where the smallest training fold is too small for it."""
    model = params.model(name)
    estimator = get_estimator(model.estimator)
    blocks = [params.parse(estimator.Params, own, f"models.{name}") for own in params.combinations(model.own)]
    dev = Dataset.read(model.task, "dev")
    n_left_out = 2 if len(blocks) > 1 else 1
    smallest = len(dev.y) - max(np.sort(np.bincount(fold))[-n_left_out:].sum() for fold in dev.folds)
    for block in blocks:
        estimator.check_size(block, smallest, f"params.yaml: models.{name}")
    X = load_features(dev, model.task, model.features, name)
    return Job(name, model, params.task(model.task), estimator, blocks, dev, X)


def load_features(dev: Dataset, task: str, features: str, model: str) -> Any:
    """Return the features of the development set; pixels are mapped from disk, with a scratch folder for the model."""
    if features != "pixels":
        return dev.X(features)
    return load_images(dev, TaskPaths(task).data, model, params.task(task).preprocess.augment)


def remove_scratch(X: Any) -> None:
    """Remove the scratch files of a training that has ended."""
    if isinstance(X, MappedImages):
        shutil.rmtree(X.scratch, ignore_errors=True)


def announce(job: Job) -> None:
    """Print the number of fits of a tuned model, and the minutes that a network will take."""
    n_folds, n_repeats = int(job.dev.fold.max()) + 1, len(job.dev.folds)
    pieces = plan(len(job.blocks), n_repeats, n_folds)
    if job.is_tuned:
        cost = f"{len(pieces) + 1} fits instead of {n_folds * n_repeats + 1}"
        print(f"train {job.name}: {len(job.blocks)} combinations, one chosen inside each fold: {cost}", file=sys.stderr)
    durations = job.builds[0]().durations(job.X, job.dev.y, f"train {job.name}")
    if durations is None:
        return
    n_held_out = sum(int(np.isin(job.dev.folds[piece.repeat], piece.folds).sum()) for piece in pieces)
    n_fits = len(pieces) + 1
    n_learnt = len(job.dev.y) * n_fits - n_held_out
    seconds = durations.fit * n_fits + durations.learnt * n_learnt + durations.held_out * n_held_out
    minutes, how = max(1, round(seconds / 60)), "at most" if durations.may_stop else "about"
    print(f"train {job.name}: {n_fits} fits will take {how} {minutes} min", file=sys.stderr)
