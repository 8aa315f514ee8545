"""Descriptions of champions for the API: short for the list of tasks, and full."""

from contextlib import suppress
from typing import Any, TypedDict

from app.serving import Served
from pipeline.core import artifacts
from pipeline.core.errors import BundleError, DataError
from pipeline.core.paths import TaskPaths
from pipeline.evaluation.new_data import test_set_evaluations
from pipeline.prediction import bundle

CARD = ("estimator", "features", "input", "positive", "decision", "versions", "data_fingerprint")  # of bundle.json


class Summary(TypedDict):
    """The entry of a champion in the list of tasks."""

    task: str
    kind: str
    model: str
    bundle: str
    classes: list[str]
    warning: str


def summary(served: Served) -> Summary:
    """Return the entry of a champion in the list of tasks."""
    info = served.info
    return {
        "task": served.task,
        "kind": "table" if info.is_table else "image",
        "model": info.model,
        "bundle": served.id,
        "classes": info.classes,
        "warning": info.warning,
    }


def is_selected(served: Served) -> bool:
    """Return whether selection.json, and so the reports, are of the bundle in use."""
    with suppress(BundleError):
        return bundle.expected_sha256(served.task).startswith(served.id.rpartition("@")[2])
    return False


def description(served: Served) -> dict[str, Any]:
    """Return classes, columns, metrics and origin of a champion."""
    info = served.info
    card = {key: getattr(info, key) for key in CARD} | {"chosen": None, "use": "Research use, not a medical device."}
    metrics: dict[str, Any] = {
        "out_of_fold": {name: value for name, value in info.metrics.items() if name != "reference"}
    }
    if is_selected(served):
        # Reports may not exist yet or may be removed by `dvc repro`; test_looks.csv may be unreadable.
        with suppress(OSError, DataError):
            card["chosen"] = artifacts.read_json(TaskPaths(served.task).selection).get("reason")
            metrics["test"] = artifacts.read_json(TaskPaths(served.task).test_report(info.model))
            evaluations = test_set_evaluations.count(served.task, info.model)
            card["test_looks"] = test_set_evaluations.in_words(evaluations) if evaluations else None
    return {**summary(served), "schema": artifacts.rounded(info.schema) or None, "metrics": metrics, "card": card}
