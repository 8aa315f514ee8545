"""The interval of a share of pairs."""

import pytest

from pipeline.stats.pairs import superiority_interval


def test_the_interval_is_where_the_observed_share_is_just_likely():
    theta, m, n = 0.8, 12, 18
    low, high = superiority_interval(theta, m, n, 0.95)

    def deviation(t):
        middle = (m + n) / 2 - 1
        return 1.959964 * (t * (1 - t) * (1 + middle * ((1 - t) / (2 - t) + t / (1 + t))) / (m * n)) ** 0.5

    assert 0 < low < theta < high < 1
    assert theta - low == pytest.approx(deviation(low), abs=1e-6)
    assert high - theta == pytest.approx(deviation(high), abs=1e-6)


def test_more_pairs_give_a_narrower_interval():
    few, many = superiority_interval(0.8, 12, 18, 0.95), superiority_interval(0.8, 120, 180, 0.95)
    assert few[0] < many[0] < many[1] < few[1]
