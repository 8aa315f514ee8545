"""What the API says of a champion: in the list of tasks, and in full."""

from contextlib import suppress
from typing import Any

from app.serving import Served
from pipeline.core import artifacts
from pipeline.core.errors import BundleError, DataError
from pipeline.core.paths import TaskPaths
from pipeline.evaluation import test_set_evaluations
from pipeline.prediction import bundle

CARD = ("estimator", "features", "input", "positive", "decision", "versions", "data_fingerprint")  # of bundle.json


def summary(served: Served) -> dict[str, Any]:
    """Return what the list of tasks says of one."""
    info = served.info
    facts = {"task": served.task, "kind": info.kind, "model": info.model, "bundle": served.id}
    return facts | {"classes": info.classes}


def selection_of(served: Served) -> dict[str, Any]:
    """Return selection.json where it still speaks of the bundle that answers, else nothing."""
    with suppress(BundleError, OSError):
        if bundle.expected_sha256(served.task).startswith(served.id.rpartition("@")[2]):
            return artifacts.read_json(TaskPaths(served.task).selection)
    return {}


def description(served: Served) -> dict[str, Any]:
    """Return classes, columns, figures and origin of a champion."""
    info = served.info
    selection = selection_of(served)
    card = {key: getattr(info, key) for key in CARD}
    card["chosen"] = selection.get("reason")
    card["use"] = "Research use, not a medical device."
    metrics = {"out_of_fold": {name: value for name, value in info.metrics.items() if name != "reference"}}
    if selection:
        # the report may not exist yet, or `dvc repro` took it away; test_looks.csv may not be readable
        with suppress(OSError, DataError):
            metrics["test"] = artifacts.read_json(TaskPaths(served.task).test_report(info.model))
            seen = test_set_evaluations.count(served.task, info.model)
            card["test_looks"] = test_set_evaluations.in_words(seen) if seen else None
    return summary(served) | {"schema": info.schema, "metrics": metrics, "card": card}
