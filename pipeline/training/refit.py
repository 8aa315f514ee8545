"""Build unfitted copies of a model."""

from collections.abc import Callable
from functools import partial

from pipeline.core import params
from pipeline.core.paths import TaskPaths
from pipeline.estimators._protocol import Model, get_estimator
from pipeline.training.candidate import Candidate


def builder(task: str, model: str) -> Callable[[], Model]:
    """Return a function that returns a model as it was before it was fitted, with the values that tuning chose."""
    block = params.model(model)
    estimator = get_estimator(block.estimator)
    tuned = Candidate.read(TaskPaths(task).candidate(model)).tuned
    own = next(iter(params.combinations(block.own))) | (tuned.chosen if tuned else {})
    parsed = params.parse(estimator.Params, own, f"models.{model}")
    return partial(estimator.make_model, parsed, params.seed(), params.workers())
