"""How far served samples are from training, as shares of pairs with their intervals."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from pipeline.monitoring import comparisons


def test_the_share_of_pairs_is_that_of_mann_and_whitney():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 20, 80), rng.integers(3, 25, 150)
    expected = mannwhitneyu(a, b).statistic / (80 * 150)
    result = comparisons.superiority(np.bincount(a, minlength=25), np.bincount(b, minlength=25))
    assert result == pytest.approx(expected)


@pytest.mark.parametrize("move", [0.0, 0.8, 2.0])
def test_the_interval_of_a_share_of_pairs_covers(move):
    rng = np.random.default_rng(3)
    truth, covered, edges = None, 0, np.linspace(-8, 10, 200)
    big = [np.histogram(rng.normal(size=200_000) + by, edges)[0] for by in (move, 0)]
    truth = comparisons.superiority(*big)
    for _ in range(400):
        a, b = (np.histogram(rng.normal(size=n) + by, edges)[0] for n, by in ((60, move), (150, 0)))
        low, high = comparisons.superiority_interval(comparisons.superiority(a, b), 60, 150, 0.95)
        covered += low <= truth <= high
    assert 0.92 <= covered / 400 <= 0.985


@pytest.mark.parametrize("theta", [0.0, 1.0])
def test_identical_pairs_still_give_an_interval_with_width(theta):
    low, high = comparisons.superiority_interval(theta, 60, 150, 0.95)
    assert theta in (low, high)
    assert 0.01 < high - low < 0.1
