"""The fits of a table's models by scikit-learn alone: python -m benchmarks.bare_fits FILE.csv MODELS.json.

Out of five folds and on all rows, with the members and values that params.yaml lists; what `benchmarks.floor` compares with.
"""

import csv
import itertools
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Build = Callable[[], ClassifierMixin]
FOLDS, INNER, SEED = 5, 3, 7


def builds(estimator: str, block: dict) -> list[Build]:
    """Return what makes the unfitted models of a block of params.yaml, one for each value that it lists."""
    if estimator == "logreg":
        return [lambda c=c: make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=5000)) for c in block["C"]]
    if estimator == "random_forest":
        leaf = block.get("min_samples_leaf", 1)
        return [lambda: RandomForestClassifier(100, min_samples_leaf=leaf, random_state=SEED)]
    if estimator == "knn":
        near = block.get("n_neighbors", 15)
        return [lambda: make_pipeline(StandardScaler(), KNeighborsClassifier(near, weights="distance"))]
    return [HistGradientBoostingClassifier if estimator == "hist_gradient_boosting" else DummyClassifier]


def cross_fit(candidates: Sequence[Build], X: np.ndarray, y: np.ndarray) -> None:
    """Fit in each fold and on all rows, print what comes out; of several candidates also without each pair of folds."""
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(X, y))
    for build in candidates:
        proba = np.empty(len(y))
        for fitted, out in folds:
            proba[out] = build().fit(X[fitted], y[fitted]).predict_proba(X[out])[:, 1]
        for (_, first), (_, second) in itertools.combinations(folds, 2) if len(candidates) > 1 else ():
            out = np.concatenate([first, second])
            rows = np.setdiff1d(np.arange(len(y)), out)
            build().fit(X[rows], y[rows]).predict_proba(X[out])
        print(roc_auc_score(y, proba), log_loss(y, proba))
    candidates[0]().fit(X, y)


def mean_of_two(members: Sequence[Build], X: np.ndarray, y: np.ndarray) -> None:
    """Choose two members by inner parts, and fit them, in each fold and on all rows."""
    outer = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(X, y)
    for rows in [*(fitted for fitted, _ in outer), np.arange(len(y))]:
        losses = np.zeros(len(members))
        for fitted, out in StratifiedKFold(INNER, shuffle=True, random_state=SEED).split(X[rows], y[rows]):
            for k, build in enumerate(members):
                proba = build().fit(X[rows][fitted], y[rows][fitted]).predict_proba(X[rows][out])
                losses[k] += log_loss(y[rows][out], proba)
        for k in losses.argsort()[:2]:
            members[k]().fit(X[rows], y[rows])


def main(table: str, models: str) -> None:
    """Do the fits of all models."""
    with Path(table).open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    X, y = np.array([row[:-1] for row in rows], float), np.array([row[-1] for row in rows]) == rows[0][-1]
    for block in json.loads(Path(models).read_text(encoding="utf-8")):
        if block["estimator"] == "mean_of_two":
            mean_of_two([build for name, own in block["of"].items() for build in builds(name, own)], X, y)
        else:
            cross_fit(builds(block["estimator"], block), X, y)


if __name__ == "__main__":
    main(*sys.argv[1:])
