"""Gradient boosting."""

from tests.helpers.models import classifier, numbers


def test_boosting_is_regularised_and_takes_all_its_steps():
    X, y = numbers(n=300)
    fitted = classifier("hist_gradient_boosting").fit(X, y)[-1]
    assert (fitted.n_iter_, fitted.max_leaf_nodes, fitted.learning_rate) == (150, 7, 0.03)
    assert 0 < fitted.predict_proba(X).min() < 0.5
