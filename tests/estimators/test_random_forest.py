"""Random forests."""

import numpy as np

from tests.helpers.models import classifier, dumped, numbers


def test_another_seed_gives_another_forest():
    assert dumped(classifier("random_forest", 1).fit(*numbers())) != dumped(
        classifier("random_forest", 2).fit(*numbers())
    )


def test_min_samples_leaf_makes_probabilities_smoother():
    X, y = numbers()
    rough, smooth = (classifier("random_forest", min_samples_leaf=n).fit(X, y).predict_proba(X)[:, 1] for n in (1, 20))
    assert np.ptp(smooth) < np.ptp(rough)
