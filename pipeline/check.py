"""Stage `check`: everything in params.yaml is validated before the first stage that costs anything starts.

Writes `data/.code/`, on which every other stage depends (see `pipeline.imports`): nothing starts before params.yaml is valid, and
a changed but valid params.yaml re-runs what uses the changed value.
"""

import difflib
import importlib
import os
import re
from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline import imports, params
from pipeline.params import BackboneParams, DemoParams, ModelParams, Strict, TaskParams
from pipeline.stage import ParamsError, run

READERS = {"image": "models/backbone", "table": "pipeline/tables.py"}
FEATURES = {"image": ("embedding", "classical", "pixels"), "table": ("columns",)}
RESERVED = ("backbone", "demo", "raw", "uploads")  # folders in data/ and models/ that are no task's


class AllParams(Strict):
    """The top level of params.yaml."""

    seed: int = Field(ge=0, lt=2**32)
    workers: int = Field(ge=1, le=256)
    demo: DemoParams
    backbone: BackboneParams
    tasks: dict[str, Any]
    models: dict[str, Any]


def check(content: dict[str, Any]) -> None:
    """Raise ParamsError, naming key and remedy, unless every value of params.yaml is one the stages can work with."""
    top = params.parse(AllParams, content, "")
    tasks = {name: params.parse(TaskParams, block, f"tasks.{name}") for name, block in top.tasks.items()}
    models = {name: params.parse(ModelParams, block, f"models.{name}") for name, block in top.models.items()}
    for name in [*tasks, *models]:
        if not re.fullmatch(params.NAME, name):
            raise ParamsError(
                f"params.yaml: {name!r}: names are made of a-z, 0-9, - and _, and begin with neither sign"
            )
    for name, model in models.items():
        if model.task not in tasks:
            raise ParamsError(
                f"params.yaml: models.{name}.task: there is no task {model.task!r}{similar(model.task, tasks)}"
            )
    for name, task in tasks.items():
        check_task(name, task, models)
    for name, model in models.items():
        check_model(name, model, tasks)


def check_task(name: str, task: TaskParams, models: dict[str, ModelParams]) -> None:
    """Raise ParamsError unless the task fits its kind and lists models that exist and are its own."""
    where = f"params.yaml: tasks.{name}"
    if name in RESERVED:
        raise ParamsError(f"{where}: the names {', '.join(RESERVED)} are taken by folders; choose another")
    if Path(f"data/{name}/scan").absolute().is_relative_to(os.path.abspath(task.raw)):
        raise ParamsError(f"{where}.raw: stages write to data/{name}; put the raw data in data/raw/{name}, say")
    if task.reader != READERS[task.kind]:
        raise ParamsError(
            f"{where}.reader: found {task.reader!r}; a task of kind {task.kind} needs {READERS[task.kind]}"
        )
    for key, value in (("read.csv", task.read.csv), ("preprocess.pixels", task.preprocess.pixels)):
        if task.kind == "table" and value:
            raise ParamsError(f"{where}.{key}: found {value!r}; this is for images: leave it out")
    if not task.models:
        raise ParamsError(f"{where}.models: is empty; name at least one model of the section models")
    for model in task.models:
        if model not in models:
            raise ParamsError(f"{where}.models: {model!r} is not in the section models{similar(model, models)}")
        if models[model].task != name:
            raise ParamsError(f"{where}.models: {model!r} belongs to the task {models[model].task!r}")
    if len(set(task.models)) < len(task.models):
        raise ParamsError(f"{where}.models: names a model twice")


def check_model(name: str, model: ModelParams, tasks: dict[str, TaskParams]) -> None:
    """Raise ParamsError unless the model's estimator, features and the estimator's own keys fit together."""
    where = f"params.yaml: models.{name}"
    task = tasks[model.task]
    if name not in task.models:
        raise ParamsError(f"{where}: is not listed in tasks.{model.task}.models; add it there or delete it")
    known = imports.estimators()
    if model.estimator not in known:
        raise ParamsError(f"{where}.estimator: there is no {model.estimator!r}; there are: {', '.join(known)}")
    estimator = importlib.import_module(f"pipeline.estimators.{model.estimator}")
    possible = [features for features in FEATURES[task.kind] if features in estimator.FEATURES]
    if model.features not in possible:
        raise ParamsError(
            f"{where}.features: found {model.features!r}; {model.estimator} on a task of kind {task.kind} "
            f"works on: {', '.join(possible) or 'nothing'}"
        )
    if model.features == "pixels" and not task.preprocess.pixels:
        raise ParamsError(f"{where}.features: pixels needs tasks.{model.task}.preprocess.pixels: true")
    own = params.parse(estimator.Params, model.own, f"models.{name}")
    if hasattr(estimator, "check"):
        estimator.check(own, model.features, where)


def similar(name: str, known: dict[str, Any]) -> str:
    """Return "; did you mean ...?" for the nearest known name, or the list of what is known."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(known) or 'none'}"


def main() -> None:
    check(params.load())
    imports.write()


if __name__ == "__main__":
    run(main)
