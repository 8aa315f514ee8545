"""Build an unfitted copy of a model."""

from pipeline.core import params
from pipeline.core.paths import TaskPaths
from pipeline.estimators._protocol import Model, get_estimator
from pipeline.training.candidate import Candidate


def unfitted(task: str, model: str) -> Model:
    """Return a model as it was before it was fitted, with the values that tuning chose."""
    block = params.model(model)
    estimator = get_estimator(block.estimator)
    tuned = Candidate.read(TaskPaths(task).candidate(model)).tuned
    own = next(iter(params.combinations(block.own))) | (tuned.chosen if tuned else {})
    return estimator.make_model(params.parse(estimator.Params, own, f"models.{model}"), params.seed(), params.workers())
