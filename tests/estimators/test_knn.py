"""Nearest neighbours."""

import io

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import KNeighborsClassifier

from tests.helpers.models import classifier, dumped, numbers


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_neighbours_vote_by_their_weights(weights):
    X, y = np.array([[0.0], [1.0], [1.5], [9.0]]), np.array([0, 1, 1, 0])
    proba = classifier("knn", n_neighbors=3, weights=weights).fit(X, y).predict_proba(X[:1])
    assert proba[0, 1] == pytest.approx({"uniform": 2 / 3, "distance": 0.0}[weights])


def small_integers(n, n_columns):
    """Return a table of 0, 1 and 2, whose last third repeats its first, and y (n,)."""
    rng = np.random.default_rng(n_columns)
    X = rng.integers(0, 3, (n, n_columns)).astype(float)
    X[-n // 3 :] = X[: n - n * 2 // 3]
    return pd.DataFrame(X, columns=[f"c{k}" for k in range(n_columns)]), rng.integers(2, size=n)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("n_columns", [3, 40, 200])
def test_neighbours_that_tie_do_not_depend_on_the_batch(weights, n_columns):
    X, y = small_integers(300, n_columns)
    fitted = classifier("knn", weights=weights).fit(X, y)
    loaded = joblib.load(io.BytesIO(dumped(fitted)))
    assert type(loaded[-1]) is KNeighborsClassifier
    rows = pd.concat([X[:60], small_integers(60, n_columns)[0]], ignore_index=True)
    expected = fitted.predict_proba(rows)
    order = np.random.default_rng(1).permutation(len(rows))
    np.testing.assert_array_equal(loaded.predict_proba(rows.iloc[order]), expected[order])
    np.testing.assert_array_equal([loaded.predict_proba(rows.iloc[[k]])[0] for k in range(len(rows))], expected)
    loaded[-1].n_jobs = 2
    np.testing.assert_array_equal(loaded.predict_proba(rows), expected)


def test_a_tables_neighbours_are_the_nearest_to_the_last_bit():
    X, y = small_integers(120, 8)
    fitted = classifier("knn", n_neighbors=7).fit(X, y)
    prepared = fitted[0].transform(X)
    squares = ((prepared[:, None] - prepared) ** 2).sum(axis=2)
    far, _ = fitted[-1].kneighbors(prepared)
    np.testing.assert_allclose(far, np.sqrt(np.sort(squares, axis=1)[:, :7]), atol=1e-12)
    assert (far[:40, :2] == 0).all()


def test_copies_of_images_weigh_alike_in_every_batch():
    X, y = numbers(301, n_features=256)
    X[195:295], y[195:295] = X[:100], y[:100]
    fitted = classifier("knn").fit(X, y)
    assert fitted[-1]._fit_X.dtype == np.float32
    alone = [fitted.predict_proba(X[k : k + 1])[0] for k in range(50)]
    np.testing.assert_allclose(fitted.predict_proba(X)[:50], alone, atol=1e-6)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_neighbours_by_features_of_the_user_that_tie_do_not_depend_on_the_batch(weights):
    rng = np.random.default_rng(0)
    X = (rng.random((180, 150)) < 0.02).astype(np.float32)
    fitted = classifier("knn", n_neighbors=7, weights=weights).fit(X[:120], rng.integers(2, size=120))
    alone = [fitted.predict_proba(X[k : k + 1])[0] for k in range(len(X))]
    np.testing.assert_array_equal(fitted.predict_proba(X), alone)
