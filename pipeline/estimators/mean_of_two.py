"""The mean of the probabilities of the two best of several estimators, which are chosen inside each fit."""

from functools import partial

from pydantic import Field

from pipeline.core import params as blocks
from pipeline.core.artifacts import JSON
from pipeline.core.errors import ParamsError
from pipeline.core.strict import Strict
from pipeline.estimators import hist_gradient_boosting, knn, logreg, random_forest
from pipeline.estimators._mean import INNER, MeanOfTwo, Member
from pipeline.estimators._protocol import Model

FEATURES = ("embedding", "classical", "columns")
# Imported by name, so that a change of one of them fits this again
MODULES = {
    "logreg": logreg,
    "hist_gradient_boosting": hist_gradient_boosting,
    "random_forest": random_forest,
    "knn": knn,
}


class Params(Strict):
    """of: estimators among which two are chosen, each with its own keys, of which any may list several values."""

    of: dict[str, JSON] = Field(
        {
            "logreg": {"C": [0.01, 0.1, 1.0, 10.0]},
            "hist_gradient_boosting": {},
            "random_forest": {"min_samples_leaf": 3},
            "knn": {},
        },
        min_length=2,
    )


def check(params: Params, features: str, where: str) -> None:
    """Raise ParamsError unless each estimator can be a member and takes its keys."""
    for name, own in params.of.items():
        if name not in MODULES:
            raise ParamsError(f"{where}.of: {name!r} cannot be a member; expected at least two of {', '.join(MODULES)}")
        if [] in own.values():
            raise ParamsError(f"{where}.of.{name}: found a list without a value in {own}; give one at least")
        for block in blocks.combinations(own):
            blocks.parse(MODULES[name].Params, block, f"{where.removeprefix('params.yaml: ')}.of.{name}")


def check_size(params: Params, n_samples: int, where: str) -> None:
    """Raise ParamsError where an inner training part, of the smallest fold, has too few samples for neighbours or for two."""
    n_fitted = n_samples * (INNER - 1) // INNER
    for block in blocks.combinations(params.of.get("knn", {})):
        knn.check_size(knn.Params(**block), n_fitted, f"{where}.of.knn")
    able = {member.name for member in members(params, 0) if member.least <= n_fitted}
    if len(able) < 2:
        raise ParamsError(
            f"{where}.of: of {', '.join(params.of)} only {', '.join(able) or 'none'} can be fitted on {n_fitted} samples, two "
            "thirds of a training fold; expected at least two, for instance with smaller leaves"
        )


def build(params: Params, seed: int) -> Model:
    """Return an unfitted model."""
    return MeanOfTwo(members(params, seed), seed)


def members(params: Params, seed: int) -> list[Member]:
    """Return the classifiers that may be chosen: one for each combination of an estimator's values."""
    return [member(name, block, seed) for name, own in params.of.items() for block in blocks.combinations(own)]


def member(name: str, own: JSON, seed: int) -> Member:
    """Return one of the classifiers that may be chosen."""
    parsed = MODULES[name].Params(**own)
    # A tree of fewer samples is its root alone, and answers with the classes' frequencies
    least = max(getattr(parsed, "n_neighbors", 1), 2 * getattr(parsed, "min_samples_leaf", 0))
    return Member(name, own, partial(MODULES[name].build, parsed, seed), least)
