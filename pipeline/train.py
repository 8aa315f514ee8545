"""Stage `train@model`: cross-fit a model over the common folds, then fit it on the whole development set.

Values that its block lists are tried, and one is chosen inside each training fold.

Reads dev.npz only. Writes to `models/<task>/candidates/<model>/`: the model (`model.joblib`, or `model.keras` with its twin
`model.tflite`), oof.npz (`proba` float64 (n_repeats * n_dev, n_classes): each sample's probabilities by a model that did not see
it, one repeat of the folds after the other; `distance` (n_dev,): how unlike the other folds it is; `beyond` (n_dev,): how far
numbers beside a picture lie outside of theirs; `places` float32 (n_dev, k): on which side it lies, see `judge` in
`prediction.ood_images` and `prediction.ood_tables`), of pictures known.npz, history.csv (fold, epoch, loss, val_loss), of a table
importance.csv (column, importance: the mean over folds of `cross_fit.permuted`, and the least and the most), and candidate.json
(all of the bundle that training knows).
"""

import importlib
import shutil
import sys
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core import artifacts, params
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require, run
from pipeline.data import tables
from pipeline.data.dataset import Dataset
from pipeline.data.image_with_columns import Beside
from pipeline.estimators._pictures import load_pictures
from pipeline.prediction.ood_reference import judge_familiarity
from pipeline.training import tuning
from pipeline.training.candidate import describe, save
from pipeline.training.cross_fit import cross_fit, plan


def main(name: str) -> None:
    model = params.model(name)
    task = params.task(model.task)
    estimators = importlib.import_module(f"pipeline.estimators.{model.estimator}")
    blocks = [params.parse(estimators.Params, own, f"models.{name}") for own in tuning.combinations(model.own)]
    data = require(TaskPaths(model.task).dev_npz, f"preprocess@{model.task}").parent
    dev = Dataset.load(data / "dev.npz")
    folder = TaskPaths(model.task).candidate(name)
    folder.mkdir(parents=True, exist_ok=True)

    workers, seed = params.workers(), params.seed()
    side_by_side = workers

    def build(own: Any) -> Any:
        if hasattr(estimators, "use_workers"):  # here, because it is the process that fits which has to know
            estimators.use_workers(workers)
        return estimators.build(own, seed)

    is_tuned = model.features == "pixels"
    X = load_pictures(dev, data, name) if is_tuned else dev.X(model.features)
    n_left_out = 2 if len(blocks) > 1 else 1
    smallest = len(dev.y) - max(np.sort(np.bincount(fold))[-n_left_out:].sum() for fold in dev.folds)
    for own in blocks if hasattr(estimators, "check_size") else []:
        estimators.check_size(own, smallest, f"params.yaml: models.{name}")
    if hasattr(estimators, "use_workers"):
        side_by_side = estimators.use_workers(workers)
    if len(blocks) > 1:
        fits, alone = (tuning.n_fits(n, dev.fold.max() + 1, len(dev.folds)) for n in (len(blocks), 1))
        cost = f"{fits} fits instead of {alone}"
        print(f"train {name}: {len(blocks)} combinations, one chosen inside each fold: {cost}", file=sys.stderr)
    if is_tuned:
        pieces = plan(len(blocks), len(dev.folds), int(dev.fold.max()) + 1)
        left_out = sum(int(np.isin(dev.folds[at.repeat], at.folds).sum()) for at in pieces)
        # The samples left out are looked at after each epoch, which is a third of learning from them
        n_learnt = len(dev.y) * (len(pieces) + 1) - left_out * 2 / 3
        minutes = build(blocks[0]).seconds(X, dev.y, f"train {name}") * n_learnt * blocks[0].fine_tune.epochs / 60
        print(f"train {name}: {len(pieces) + 1} fits will take about {max(1, round(minutes))} min", file=sys.stderr)
    fitted = cross_fit([partial(build, own) for own in blocks], X, dev, side_by_side, f"train {name}", seed)
    candidate = describe(name, model, task.kind, dev, save(fitted.estimator, folder))
    if len(blocks) > 1:
        candidate["tuned"] = tuning.describe(model.own, fitted.by_fold, fitted.on_all, fitted.log_loss)
    columns = X.columns if isinstance(X, Beside) else X
    has_schema = model.features.endswith("columns")
    candidate["schema"] = tables.schema(columns, task.preprocess.units) if has_schema else None
    judged = judge_familiarity(fitted.estimator, X, dev, candidate, folder)
    artifacts.write_npz(folder / "oof.npz", {"proba": fitted.oof} | judged)
    artifacts.write_csv(folder / "history.csv", fitted.history)
    if fitted.importance is not None:
        folds = fitted.importance
        table = pd.DataFrame(
            {"column": folds.columns, "importance": folds.mean(), "low": folds.min(), "high": folds.max()}
        )
        ordered = table.sort_values(["importance", "column"], ascending=[False, True])
        artifacts.write_csv(folder / "importance.csv", ordered)
    artifacts.write_json(folder / "candidate.json", candidate)
    if is_tuned:
        shutil.rmtree(X.scratch)


if __name__ == "__main__":
    run(main)
