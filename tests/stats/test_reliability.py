"""Bins of probabilities agree with scikit-learn's calibration curve."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from pipeline.stats import reliability


def test_reliability_equals_scikit_learns_where_a_bin_is_not_empty():
    rng = np.random.default_rng(14)
    p = np.concatenate([rng.random(80) * 0.7, [0, 0.1, 0.2, 0.3, 1.0]])  # edges, and bins with nothing in them
    y = rng.random(85) < p
    predicted, observed, counts = reliability.reliability(y, p, reliability.equal_width(10))
    theirs = calibration_curve(y, p, n_bins=10)
    assert observed[counts > 0] == pytest.approx(theirs[0])
    assert predicted[counts > 0] == pytest.approx(theirs[1])
    assert np.isnan(predicted[counts == 0]).all()
    assert np.isnan(observed[counts == 0]).all()
    assert (len(counts), counts.sum()) == (10, 85)


def test_reliability_of_equally_many_equals_scikit_learns_by_quantile():
    p = np.random.default_rng(15).random(203) ** 3
    y = np.random.default_rng(16).random(203) < p
    predicted, observed, counts = reliability.reliability(y, p, reliability.equal_count(p, 10))
    theirs = calibration_curve(y, p, n_bins=10, strategy="quantile")
    assert observed == pytest.approx(theirs[0])
    assert predicted == pytest.approx(theirs[1])
    assert set(counts) <= {20, 21}


def test_equal_probabilities_lie_in_one_bin():
    p = np.array([0.1] * 50 + [0.4] * 50 + [0.9])
    predicted, _, counts = reliability.reliability(p > 0.5, p, reliability.equal_count(p, 10))
    assert counts[counts > 0].tolist() == [50, 50, 1] or counts[counts > 0].tolist() == [50, 51]
    assert np.nansum(predicted * counts) == pytest.approx(p.sum())
