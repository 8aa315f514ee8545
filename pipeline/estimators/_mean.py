"""Choose the two best of several classifiers by cross-validation inside the samples that are fitted, and answer with their mean.

The choice sees nothing but the samples of the fit, so out-of-fold predictions stay free of it: each fold's model may be the mean
of another two. What is saved is a pipeline of scikit-learn's own classes behind `Prepare`.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.core.artifacts import JSON
from pipeline.core.errors import DataError
from pipeline.estimators._protocol import Classifier, ClassifierModel

INNER = 3  # parts in which the samples of a fit are divided to choose
LEAST = 1e-3  # a probability below it counts as it, as in calibration: one vote of 0 is not to decide alone


@dataclass(frozen=True)
class Member:
    """A classifier that may be chosen: the name of its estimator, its keys, and what returns it unfitted behind `Prepare`.

    least: the fewest samples that it can be fitted on.
    """

    name: str
    own: JSON
    build: Callable[[], Any]
    least: int = 1


class MeanOfTwo(ClassifierModel):
    """A model that chooses two of `members`, of different names, and fits them on all samples."""

    def __init__(self, members: list[Member], seed: int):
        """Choose with a division that is drawn by `seed`."""
        super().__init__(members[0].build())
        self.members, self.seed = members, seed

    def fit(
        self,
        X: Any,
        y: np.ndarray,
        groups: np.ndarray,
        label: str,
        held_out: tuple[Any, np.ndarray] | None = None,
    ) -> "MeanOfTwo":
        """Choose, by parts that share no group, and fit; held-out samples are not used."""
        members = two_best(self.members, X, y, groups, self.seed, label)
        self.classifier = mean_of(members, X, y)
        self.chosen_ = {"mean_of": {member.name: member.own for member in members}}
        return self


def two_best(members: list[Member], X: Any, y: np.ndarray, groups: np.ndarray, seed: int, label: str) -> list[Member]:
    """Return the two members with the lowest log loss on samples left out, the best of each name, in the order of the list.

    One that cannot be fitted without a part is not among them, and its name is printed; so there may be one alone. Raises
    DataError where there is none.
    """
    part, loss = divide(y, groups, seed), np.zeros(len(members))
    for number in range(INNER):
        held_out = part == number
        if not held_out.any() or len(set(y[~held_out])) < 2:
            continue  # few groups: there is nothing to learn from without this part
        fitted, left_out = split(X, ~held_out), split(X, held_out)
        prepare = members[0].build()[0].fit(fitted)
        fitted, left_out = prepare.transform(fitted), prepare.transform(left_out)
        for k, member in enumerate(members):
            able = len(fitted) >= member.least and np.isfinite(loss[k])
            model = member.build()[-1].fit(fitted, y[~held_out]) if able else None
            loss[k] += log_loss(model, left_out, y[held_out]) if able else np.inf
    best: dict[str, int] = {}
    for k in np.argsort(loss, kind="stable"):
        if np.isfinite(loss[k]):
            best.setdefault(members[k].name, int(k))
    absent = {member.name: member.least for member in members if member.name not in best}
    if absent:
        needed = ", ".join(f"{name} (needs {least} samples)" for name, least in absent.items())
        message = f"{label}: left out of the mean of two, because a part of {len(y)} samples is too small: {needed}"
        if not best:
            raise DataError(f"{message}; name one that needs fewer in `of`")
        print(message, file=sys.stderr)
    return [members[k] for k in sorted(list(best.values())[:2])]


def divide(y: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
    """Return the part of each sample, int (n,): groups are dealt out one by one, those of a class after another's."""
    _, first, index = np.unique(groups, return_index=True, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(first))
    order = order[np.argsort(y[first][order], kind="stable")]
    part = np.empty(len(first), int)
    part[order] = np.arange(len(first)) % INNER
    return part[index]


def split(X: Any, kept: np.ndarray) -> Any:
    """Return the samples of an array, a DataFrame or anything indexed like an array that are `kept`, bool (n,)."""
    return X.loc[kept] if hasattr(X, "loc") else X[np.flatnonzero(kept)]


def log_loss(fitted: Any, X: np.ndarray, y: np.ndarray) -> float:
    """Return the sum of log losses; a class that the classifier never saw has a probability of 0."""
    proba = np.zeros((len(y), int(max(y.max(), fitted.classes_.max())) + 1))
    proba[:, fitted.classes_] = fitted.predict_proba(X)
    return float(-np.log(np.maximum(proba[np.arange(len(y)), y], LEAST)).sum())


def mean_of(members: list[Member], X: Any, y: np.ndarray) -> Classifier:
    """Return a pipeline of `Prepare` and a VotingClassifier, which averages the probabilities of the members, fitted."""
    from sklearn.ensemble import VotingClassifier

    from pipeline.estimators._prepare import prepared

    return prepared(VotingClassifier([(member.name, member.build()[-1]) for member in members], voting="soft")).fit(
        X, y
    )
