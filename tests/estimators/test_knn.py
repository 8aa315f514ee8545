"""Nearest neighbours."""

import numpy as np
import pytest

from tests.helpers.models import classifier, numbers


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_neighbours_vote_by_their_weights(weights):
    X, y = np.array([[0.0], [1.0], [1.5], [9.0]]), np.array([0, 1, 1, 0])
    proba = classifier("knn", n_neighbors=3, weights=weights).fit(X, y).predict_proba(X[:1])
    assert proba[0, 1] == pytest.approx({"uniform": 2 / 3, "distance": 0.0}[weights])


def test_neighbours_are_compared_in_float64():
    X, y = numbers(60)
    search = classifier("knn").fit(X, y).steps[-1][1].steps[-1][1]
    assert search._fit_X.dtype == np.float64
