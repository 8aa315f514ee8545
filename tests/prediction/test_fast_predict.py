"""One row is answered as scikit-learn answers it, but faster."""

import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn import linear_model
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import VotingClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from pipeline import train
from pipeline.estimators._prepare import prepared
from pipeline.prediction.fast_predict import fast_predict_proba, kind_of, quick_transform
from tests.helpers.models import dataset, mixed, write_params


def trained(n_classes, **block):
    """Return a model trained on 100 rows of a mixed table, and the rows; the current folder becomes its project."""
    write_params({"m": block})
    X, y = mixed(100, n_classes)
    dataset(X, y).save(Path("data/t/dev.npz"))
    with warnings.catch_warnings():  # scikit-learn's threads, which set filters of their own, may leave those behind
        train.main("m")
    return joblib.load("models/t/candidates/m/model.joblib"), X


@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_forest_answers_with_the_same_bits(empty_folder, n_classes):
    model, X = trained(n_classes, estimator="random_forest", n_estimators=30)
    quick = fast_predict_proba(model)
    for row in range(0, 100, 4):
        np.testing.assert_array_equal(quick(X.iloc[row : row + 1]), model.predict_proba(X.iloc[row : row + 1]))


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_neighbours_vote_alike_for_fitted_and_new_rows(empty_folder, n_classes, weights):
    model, X = trained(n_classes, estimator="knn", n_neighbors=7, weights=weights)
    quick = fast_predict_proba(model)
    others = mixed(50, n_classes, seed=5)[0]
    for table in (X, others):
        for row in range(0, len(table), 4):
            expected = model.predict_proba(table.iloc[row : row + 1])
            np.testing.assert_allclose(quick(table.iloc[row : row + 1]), expected, rtol=0, atol=1e-6)


def test_of_rows_at_no_distance_at_all_only_these_vote():
    X = np.array([[0.0, 0], [0, 0], [1, 0], [0, 1]])
    model = KNeighborsClassifier(3, weights="distance", algorithm="brute").fit(X, [0, 1, 1, 1])
    np.testing.assert_array_equal(fast_predict_proba(model)(np.zeros((1, 2))), [[0.5, 0.5]])


@pytest.mark.parametrize("n_classes", [2, 4])
def test_logistic_regression_answers_alike(empty_folder, n_classes):
    model, X = trained(n_classes, estimator="logreg")
    quick = fast_predict_proba(model)
    for row in range(0, 100, 4):
        expected = model.predict_proba(X.iloc[row : row + 1])
        np.testing.assert_allclose(quick(X.iloc[row : row + 1]), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_standardising_gives_the_same_bits_and_clips(n_classes):
    from pipeline.estimators import logreg

    rng = np.random.default_rng(3)
    X = rng.normal(5, 3, (60, 40)).astype(np.float32)
    model = logreg.build(logreg.Params(), 1).fit(X, rng.integers(n_classes, size=60))
    prepare = model.named_steps["prepare"]
    others = np.concatenate([X, X * 100, np.full((1, 40), 3e38, np.float32)])
    for row in range(len(others)):
        item = others[row : row + 1]
        np.testing.assert_array_equal(quick_transform(prepare)(item), prepare.transform(item))
        np.testing.assert_allclose(fast_predict_proba(model)(item), model.predict_proba(item), rtol=0, atol=1e-6)


def test_every_other_model_answers_by_itself(empty_folder):
    model, _ = trained(2, estimator="dummy")
    assert fast_predict_proba(model) == model.predict_proba


class LogisticRegression(linear_model.LogisticRegression):
    """Another project's class with the name of scikit-learn's, which answers in another way."""

    def predict_proba(self, X):
        return (super().predict_proba(X) + 0.5) / 2


@pytest.mark.parametrize(
    "classifier",
    [
        KNeighborsClassifier(7, metric="manhattan"),
        KNeighborsClassifier(7, metric="cosine"),
        KNeighborsClassifier(7, weights=lambda distances: np.exp(-distances)),
        VotingClassifier([("a", DummyClassifier()), ("b", GaussianNB())], voting="soft", weights=[1, 5]),
        LogisticRegression(),
    ],
)
def test_settings_and_classes_that_are_not_known_here_answer_by_themselves(classifier):
    X, y = np.random.default_rng(4).normal(size=(80, 5)), np.arange(80) % 2
    model = prepared(classifier).fit(X, y)
    assert kind_of(model) == ""
    others = X[:20] + 0.1
    np.testing.assert_array_equal(fast_predict_proba(model)(others), model.predict_proba(others))
