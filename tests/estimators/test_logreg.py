"""Logistic regression."""

import numpy as np
import pytest

from tests.helpers.models import MAKERS, classifier, mixed


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_more_evidence_never_lowers_the_probability(make):
    X, y = make(200)
    estimator = classifier("logreg").fit(X, y)
    row = X[:1]
    values = np.linspace(0, 100, 21)
    rows = [row.assign(age=value) if make is mixed else np.column_stack([[value], row[:, 1:]]) for value in values]
    proba = [estimator.predict_proba(changed)[0, 1] for changed in rows]
    assert (np.diff(proba) >= 0).all()
    assert proba[-1] > proba[0] + 0.5
