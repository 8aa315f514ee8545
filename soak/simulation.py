"""Simulated studies whose truth is known: models are cross-fitted by the project's folds and scored by its own code.

The truth is that of the delivered model, the one fitted on all samples, on thousands of new patients.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from pipeline.core.params_models import OperatingPointParams
from pipeline.data.dataset import Dataset
from pipeline.evaluation import calibration
from pipeline.evaluation.operating_point import choose, decide_out_of_fold
from pipeline.evaluation.report import Report
from pipeline.evaluation.scoring import assess
from pipeline.prediction.decision_rule import DecisionRule, calibrate, decide
from pipeline.stats.metrics import scores

FOLDS, NEW, DRAWS = 5, 6000, 400
Draw = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Design:
    """How samples come about: `draw(rng, n_groups)` returns X, y and groups. `models`: constructors by name."""

    name: str
    groups: int
    draw: Draw
    models: dict[str, Callable[[], ClassifierMixin]]


@dataclass(frozen=True)
class Fitted:
    """A model out of fold: its probabilities that are not calibrated, its rule, and the delivered model's on new samples."""

    raw: np.ndarray
    rule: DecisionRule
    new: np.ndarray


@dataclass(frozen=True)
class Study:
    """One repetition: development data, the outcomes of new samples, and each model."""

    dev: Dataset
    y_new: np.ndarray
    models: dict[str, Fitted]

    def report(self, name: str, seed: int) -> Report:
        """Return the report out of fold of a model, as the stage `evaluate` makes it."""
        dev, model = self.dev, self.models[name]
        proba = calibrate(model.raw, model.rule)
        decided = decide(proba, model.rule)
        report = assess(dev, proba, decided, DRAWS, seed, FOLDS)
        unseen = assess(dev, calibration.out_of_fold(dev, model.raw, model.rule), decided, DRAWS, seed, FOLDS)
        for key in calibration.SCALED:
            report.figures[key] = unseen[key]
            if key in unseen.ci:
                report.ci[key] = unseen.ci[key]
        return report

    def truth(self, name: str) -> dict[str, float]:
        """Return the delivered model's figures on new samples."""
        proba = calibrate(self.models[name].new, self.models[name].rule)
        return scores(self.y_new, proba, decide(proba, self.models[name].rule))


def repeat(design: Design, seed: int, point: OperatingPointParams | None = None) -> Study:
    """Return one repetition of a design; with `point`, thresholds are chosen for it."""
    rng = np.random.default_rng([seed, sum(map(ord, design.name))])
    X, y, groups = design.draw(rng, design.groups)
    while min(len(set(groups[y == k])) for k in (0, 1)) < FOLDS:
        X, y, groups = design.draw(rng, design.groups)
    X_new, y_new, _ = design.draw(rng, NEW * design.groups // len(y))
    fold = np.zeros(len(y), int)
    for number, (_, held_out) in enumerate(
        StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(X, y, groups)
    ):
        fold[held_out] = number
    names = np.arange(len(y)).astype(str)
    dev = Dataset(names, names, groups.astype(str), y, fold, ["negative", "positive"], {})
    models = {}
    for name, build in design.models.items():
        raw = np.zeros((len(y), 2))
        for number in range(FOLDS):
            rest = fold != number
            raw[~rest] = build().fit(X[rest], y[rest]).predict_proba(X[~rest])
        rule = DecisionRule(calibration=calibration.choose(dev, raw, 20, seed)[0])
        if point:
            chosen = choose(dev, calibrate(raw, rule), point)
            rule = DecisionRule(chosen.threshold, rule.calibration, chosen.chosen_for)
        models[name] = Fitted(raw, rule, build().fit(X, y).predict_proba(X_new))
    return Study(dev, y_new, models)


def judged(study: Study, name: str, point: OperatingPointParams) -> np.ndarray:
    """Return what each development sample is decided to be by a threshold that was chosen without it."""
    model = study.models[name]
    return decide_out_of_fold(study.dev, calibrate(model.raw, model.rule), model.rule, point)


# Models


def logistic(C: float = 1.0) -> ClassifierMixin:
    """Return a logistic regression on standardised columns."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=1000))


def neighbours() -> ClassifierMixin:
    """Return 15 nearest neighbours."""
    return make_pipeline(StandardScaler(), KNeighborsClassifier(15, weights="distance"))


class Some:
    """A model of some of the columns."""

    def __init__(self, model: ClassifierMixin, columns: slice):
        self.model, self.columns = model, columns

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Some":
        """Fit it."""
        self.model.fit(X[:, self.columns], y)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return probabilities."""
        return self.model.predict_proba(X[:, self.columns])


LOGISTIC = {"logreg": logistic}
FIVE = {
    "logreg": logistic,
    "half": lambda: Some(logistic(), slice(0, 3)),
    "knn": neighbours,
    "bayes": lambda: Some(GaussianNB(), slice(3, 6)),
    "tree": lambda: DecisionTreeClassifier(max_depth=3, random_state=0),
}
SIMPLE_AND_FOREST = {"logreg": logistic, "forest": lambda: RandomForestClassifier(60, random_state=0)}
TWINS = {"first": lambda: Some(logistic(), slice(0, 3)), "second": lambda: Some(logistic(), slice(3, 6))}


# Samples


def shifted(
    rng: np.random.Generator, n_groups: int, shift: tuple[float, ...], columns: int, size: int = 1, common: float = 0.0
):
    """Draw groups of one class, whose columns are normal and shifted; `common`: the share of variance that a group shares."""
    groups = np.repeat(np.arange(n_groups), size)
    y = (rng.random(n_groups) < 0.5).astype(int)[groups]
    own, shared = rng.normal(size=(len(groups), columns)), rng.normal(size=(n_groups, columns))[groups]
    X = (1 - common) ** 0.5 * own + common**0.5 * shared
    X[:, : len(shift)] += np.outer(y - 0.5, shift)
    return X, y, groups


def interacting(
    rng: np.random.Generator, n_groups: int, shift: float, apart: float, kept: float, size: int = 1, within: float = 0.0
):
    """Draw groups whose class moves one column a little, and mostly the sign of the product of two others."""
    groups = np.repeat(np.arange(n_groups), size)
    y = (rng.random(n_groups) < 0.5).astype(int)
    sign = 2 * y - 1
    means = rng.normal(size=(n_groups, 5))
    means[:, 0] += shift * sign
    first = rng.choice([-1, 1], n_groups)
    product = np.where(rng.random(n_groups) < kept, sign, -sign)
    means[:, 1] = apart * first + 0.6 * means[:, 1]
    means[:, 2] = apart * first * product + 0.6 * means[:, 2]
    return means[groups] + within * rng.normal(size=(len(groups), 5)), y[groups], groups


def twins(rng: np.random.Generator, n_groups: int, size: int = 1):
    """Draw groups measured twice alike: either model sees one measurement, so that both are equally good."""
    groups = np.repeat(np.arange(n_groups), size)
    y = (rng.random(n_groups) < 0.5).astype(int)
    true = rng.normal(size=(n_groups, 3)) + np.outer(y - 0.5, [1.2, 0.6, 0.4])
    measured = [true[groups] + rng.normal(size=(len(groups), 3)) for _ in range(2)]
    return np.column_stack(measured), y[groups], groups


def design(name: str, groups: int, models: dict, draw: Callable, **options: object) -> Design:
    """Return a design that draws with options."""
    return Design(name, groups, partial(draw, **options), models)


COVERED = [
    design("60 samples", 60, LOGISTIC, shifted, shift=(1.2, 0.6), columns=5),
    design("60 samples of noise", 60, LOGISTIC, shifted, shift=(), columns=5),
    design("150 samples", 150, LOGISTIC, shifted, shift=(1.2, 0.6), columns=8),
    design("20 groups of 5", 20, LOGISTIC, shifted, shift=(1.2, 0.6), columns=5, size=5, common=0.5),
    design("100 samples, easy", 100, LOGISTIC, shifted, shift=(2.5, 1.5), columns=5),
]
BEST_OF_FIVE = design("60 samples of noise, best of five", 60, FIVE, shifted, shift=(), columns=6)
CHOICES = [
    design("100 samples", 100, SIMPLE_AND_FOREST, interacting, shift=0.33, apart=1.2, kept=0.9),
    design("20 groups of 5", 20, SIMPLE_AND_FOREST, interacting, shift=0.58, apart=1.6, kept=1.0, size=5, within=1.0),
]
EQUAL = [design("150 samples", 150, TWINS, twins), design("20 groups of 5", 20, TWINS, twins, size=5)]
POSITIVES = [
    design("20 positives of 40", 40, LOGISTIC, shifted, shift=(1.2, 0.6), columns=5),
    design("50 positives of 100", 100, LOGISTIC, shifted, shift=(1.2, 0.6), columns=5),
    design("130 positives of 260", 260, LOGISTIC, shifted, shift=(1.2, 0.6), columns=5),
]
