"""A learning curve that follows a power law is extrapolated exactly; the interval counts what the power may be."""

import numpy as np
import pytest

from pipeline.stats.extrapolation import POWERS, gain

SIZES = np.array([50.0, 100.0, 150.0, 200.0])


@pytest.mark.parametrize("power", POWERS)
def test_interval_holds_the_gain_of_either_power(power):
    figures = 0.9 - 2 * SIZES**-power
    draws = figures + np.random.default_rng(0).normal(0, 0.01, (500, 1))
    doubled = gain(SIZES, figures, draws, 200, 400, 100, 1.0)
    true = 2 * (200**-power - 400**-power)
    assert doubled.ci[0] - 1e-9 <= true <= doubled.ci[1] + 1e-9
    assert doubled.ci[1] - doubled.ci[0] < 2 * true


def test_flat_curve_gains_nothing():
    draws = np.random.default_rng(0).normal(0.8, 0.01, (500, 4))
    doubled = gain(SIZES, np.full(4, 0.8), draws, 200, 400, 100, 1.0)
    assert doubled.gain == pytest.approx(0)
    assert doubled.ci[0] < 0 < doubled.ci[1]


def test_one_size_says_nothing():
    doubled = gain(SIZES[:1], np.array([0.8]), np.full((500, 1), 0.8), 50, 100, 100, 1.0)
    assert np.isnan([doubled.gain, *doubled.ci]).all()
