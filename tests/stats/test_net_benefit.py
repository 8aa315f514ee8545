"""Net benefit is what its definition and the package dcurves say; its interval covers."""

import numpy as np
import pytest

from pipeline.stats.net_benefit import contributions, mean_interval

Y = np.array([0, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1])
P = np.array([0.05, 0.1, 0.2, 0.15, 0.3, 0.4, 0.8, 0.6, 0.9, 0.02, 0.5, 0.35])
# dcurves 1.1.7: dca(frame, "y", ["p"], thresholds=[.1, .2, .3, .5]), model and "all"
DCURVES = {0.1: (0.3703704, 0.3518519), 0.2: (0.25, 0.2708333), 0.3: (0.2261905, 0.1666667), 0.5: (0.0, -0.1666667)}


@pytest.mark.parametrize("threshold", DCURVES)
def test_net_benefit_is_that_of_dcurves(threshold):
    own = contributions(Y == 1, threshold <= P, threshold).mean()
    everybody = contributions(Y == 1, np.ones(12, bool), threshold).mean()
    assert (own, everybody) == pytest.approx(DCURVES[threshold], abs=1e-6)


def test_treating_everybody_at_one_has_no_net_benefit():
    assert np.isnan(contributions(Y == 1, np.ones(12, bool), 1.0)).any()
    assert contributions(Y == 1, P >= 1, 1.0).sum() == 0


def test_interval_covers_with_samples_in_groups():
    rng, inside = np.random.default_rng(0), 0
    for _ in range(400):
        y = np.repeat(rng.random(60) < 0.3, 2)
        treated = np.repeat(rng.random(60) < 0.5, 2)
        low, high = mean_interval(contributions(y, treated, 0.2), np.repeat(np.arange(60), 2))[1]
        inside += low <= 0.15 - 0.5 * 0.7 * 0.25 <= high
    assert 0.92 <= inside / 400 <= 0.98


def test_one_group_has_no_interval():
    figure, ends = mean_interval(np.array([1.0, 0.0]), np.zeros(2))
    assert figure == 0.5
    assert np.isnan(ends).all()
