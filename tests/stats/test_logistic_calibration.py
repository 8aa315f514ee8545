"""Calibration slope, intercept and curve: right where the truth is known, and silent where nothing can be said."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from pipeline.stats.logistic_calibration import curve, is_separated, logit, slope_and_intercept, splines

pytestmark = pytest.mark.filterwarnings("error")


def outcomes(seed, n=400, slope=1.0, intercept=0.0, of_a_group=1):
    """Outcomes, probabilities that are off by slope and intercept, and groups that share half of their noise."""
    rng = np.random.default_rng(seed)
    group = np.arange(n) // of_a_group
    x = rng.normal(0, 1.2, n) if of_a_group == 1 else rng.normal(0, 1.2, n)[group]
    y = (rng.random(n) < 1 / (1 + np.exp(-(intercept + slope * x)))).astype(int)
    return y, 1 / (1 + np.exp(-x)), group


def test_slope_is_that_of_scikit_learn():
    y, p, groups = outcomes(0)
    result = slope_and_intercept(y, p, groups)
    theirs = LogisticRegression(C=np.inf, tol=1e-8).fit(logit(p)[:, None], y)
    assert result["calibration_slope"][0] == pytest.approx(theirs.coef_[0, 0], abs=1e-4)


@pytest.mark.parametrize(("of_a_group", "slope", "intercept"), [(1, 1.0, 0.0), (1, 0.6, 0.5), (4, 1.0, 0.0)])
def test_intervals_cover_in_clusters_too(of_a_group, slope, intercept):
    inside = np.zeros(2)
    for seed in range(300):
        result = slope_and_intercept(*outcomes(seed, 300, slope, intercept, of_a_group))
        low, high = result["calibration_slope"][1]
        inside[0] += low <= slope <= high
        low, high = result["calibration_intercept"][1]
        inside[1] += low <= intercept <= high
    assert inside[0] / 300 >= 0.91
    if slope == 1:
        assert inside[1] / 300 >= 0.91


def test_copies_of_samples_add_no_certainty():
    y, p, groups = outcomes(1)
    once = slope_and_intercept(y, p, groups)
    thrice = slope_and_intercept(np.tile(y, 3), np.tile(p, 3), np.tile(groups, 3))
    for name, (figure, ends) in once.items():
        assert thrice[name][0] == pytest.approx(figure, abs=1e-6)
        assert thrice[name][1] == pytest.approx(ends, abs=1e-5)


def test_nothing_is_given_with_few_events_separation_or_constant_probabilities():
    y, p, groups = outcomes(2)
    few = np.r_[np.flatnonzero(y == 1)[:19], np.flatnonzero(y == 0)]
    assert slope_and_intercept(y[few], p[few], groups[few]) == {}
    assert curve(y[few], p[few], groups[few]) is None
    separated = (p > 0.5).astype(int)
    assert is_separated(separated, logit(p))
    assert slope_and_intercept(separated, p, groups) == {}
    assert curve(separated, p, groups) is None
    assert slope_and_intercept(y, np.full(len(y), 0.3), groups) == {}
    assert curve(y, np.full(len(y), 0.3), groups) is None


def test_splines_are_straight_beyond_the_outer_knots():
    knots = np.array([-1.0, 0.0, 0.5, 1.0])
    x = np.array([1.0, 2.0, 3.0, 4.0])
    bends = np.diff(splines(x, knots), n=2, axis=0)
    assert bends == pytest.approx(np.zeros((2, 4)), abs=1e-12)
    assert splines(np.array([-3.0]), knots)[0].tolist() == [1, -3, 0, 0]


def test_curve_finds_a_bend_and_its_band_covers():
    """True probabilities are the square of those predicted: at 0.5 a quarter is positive."""
    covered = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        p = rng.uniform(0.05, 0.95, 600)
        y = (rng.random(600) < p**2).astype(int)
        index, value, low, high = curve(y, p, np.arange(600))
        assert (np.diff(index) > 0).all()
        assert ((low <= value) & (value <= high)).all()
        covered.append((low <= index**2) & (index**2 <= high))
    assert np.mean(covered) > 0.9
