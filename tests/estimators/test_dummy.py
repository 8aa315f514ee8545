"""The baseline of class frequencies."""

import numpy as np
import pytest

from tests.helpers.models import classifier


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_dummy_predicts_the_class_frequencies(n_classes):
    y = np.array([0] * 5 + [1] * 3 + [2] * 2 + [3] * 10 if n_classes == 4 else [0] * 3 + [1])
    proba = classifier("dummy").fit(np.zeros((len(y), 2)), y).predict_proba(np.ones((3, 2)))
    np.testing.assert_allclose(proba, np.tile(np.bincount(y) / len(y), (3, 1)))
