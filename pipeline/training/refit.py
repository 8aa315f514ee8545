"""Build a model again as it was before it was fitted, with the values that tuning chose."""

import importlib
from typing import Any

from pipeline.core import artifacts, params
from pipeline.core.paths import TaskPaths
from pipeline.training import tuning


def unfitted(task: str, model: str) -> Any:
    """Return the champion's estimator as it was before it was fitted, with the values that tuning chose."""
    block = params.model(model)
    estimators = importlib.import_module(f"pipeline.estimators.{block.estimator}")
    candidate = artifacts.read_json(TaskPaths(task).candidate_json(model))
    own = next(iter(tuning.combinations(block.own))) | candidate.get("tuned", {}).get("chosen", {})
    if hasattr(estimators, "use_workers"):
        estimators.use_workers(params.workers())
    return estimators.build(params.parse(estimators.Params, own, f"models.{model}"), params.seed())
