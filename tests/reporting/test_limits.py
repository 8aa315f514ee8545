"""Limits."""

import pytest

from pipeline.reporting import limits, results
from tests.helpers.models import KERAS_NOISE

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)


def test_limits_are_found_in_the_artefacts(rows):
    text = " ".join(limits.limits(results.read("t")))
    assert "fewer than 100 rows of a class" in text
    assert "width alone predicts the class with an ROC AUC of 0.95" in text
    assert "No column says which rows belong to one patient" in text
    assert "Not yet tested on external data" in text
