"""Random forests."""

import io

import joblib
import numpy as np
from sklearn.ensemble import RandomForestClassifier

from tests.helpers.models import classifier, dumped, numbers


def test_another_seed_gives_another_forest():
    assert dumped(classifier("random_forest", 1).fit(*numbers())) != dumped(
        classifier("random_forest", 2).fit(*numbers())
    )


def test_min_samples_leaf_makes_probabilities_smoother():
    X, y = numbers()
    rough, smooth = (classifier("random_forest", min_samples_leaf=n).fit(X, y).predict_proba(X)[:, 1] for n in (1, 20))
    assert np.ptp(smooth) < np.ptp(rough)


def test_leaves_are_mixed_with_the_classes_frequencies():
    X, y = numbers(n=90)
    plain = classifier("random_forest", smoothing=0.0, n_estimators=5).fit(X, y)
    mixed = classifier("random_forest", smoothing=2.0, n_estimators=5).fit(X, y)
    assert plain.predict_proba(X).max() == 1
    assert 0 < mixed.predict_proba(X).min() < mixed.predict_proba(X).max() < 1
    before, after = plain[-1].estimators_[0].tree_, mixed[-1].estimators_[0].tree_
    n = before.weighted_n_node_samples[:, None]
    expected = (before.value[:, 0] * n + 2 * before.value[0, 0]) / (n + 2)
    np.testing.assert_allclose(after.value[:, 0], expected)
    assert type(joblib.load(io.BytesIO(dumped(mixed)))[-1]) is RandomForestClassifier
