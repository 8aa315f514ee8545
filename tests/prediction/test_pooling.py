"""The probabilities of several samples become one."""

import numpy as np
import pytest

from pipeline.prediction.decision_rule import log_odds
from pipeline.prediction.pooling import is_enough, pool

METHODS = ("mean_log_odds", "mean", "max", "top_2")
MEMBER = np.array([0, 1, 0, 2, 2, 2])


def proba(n_classes: int, n: int = 6, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(n_classes), n)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("method", METHODS)
def test_a_sample_alone_keeps_its_bits(n_classes, method):
    raw = proba(n_classes)
    assert pool(raw, np.arange(6), 6, method).tobytes() == raw.tobytes()
    assert pool(raw, MEMBER, 3, method)[1].tobytes() == raw[1].tobytes()


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("method", METHODS)
def test_equal_samples_are_pooled_to_themselves(n_classes, method):
    row = proba(n_classes, 1)
    for same in (row, np.eye(n_classes)[:1]):
        pooled = pool(np.repeat(same, 5, axis=0), np.zeros(5, int), 1, method)
        assert pooled == pytest.approx(same, abs=1e-12)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("method", METHODS)
def test_pooled_probabilities_sum_to_one(n_classes, method):
    assert pool(proba(n_classes), MEMBER, 3, method).sum(axis=1) == pytest.approx(1)


def test_each_method_is_what_its_name_says():
    p = np.array([0.2, 0.9, 0.4, 0.6])
    raw, together = np.column_stack([1 - p, p]), np.zeros(4, int)
    assert pool(raw, together, 1, "mean")[0, 1] == pytest.approx(p.mean())
    assert pool(raw, together, 1, "max")[0, 1] == 0.9
    assert pool(raw, together, 1, "top_2")[0, 1] == pytest.approx(0.75)
    assert pool(raw, together, 1, "top_9")[0, 1] == pytest.approx(p.mean())
    pooled = pool(raw, together, 1, "mean_log_odds")
    assert log_odds(pooled)[0] == pytest.approx(log_odds(raw).mean())


def test_the_order_of_samples_does_not_matter():
    raw, order = proba(4, 6), np.array([3, 5, 0, 1, 4, 2])
    for method in METHODS:
        assert pool(raw[order], MEMBER[order], 3, method) == pytest.approx(pool(raw, MEMBER, 3, method))


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("method", METHODS)
def test_units_that_are_alike_stay_tied(n_classes, method):
    member = np.repeat(np.arange(40), np.arange(40) % 11 + 1)
    same = np.repeat(proba(n_classes, 1, seed=3), len(member), axis=0)
    assert (pool(same, member, 40, method) == same[0]).all()
    halves = np.repeat([[0.9, 0.1], [0.7, 0.3]], [3, 1], axis=0)  # the sum of three 0.1 and 0.3 depends on its order
    pooled = {pool(np.roll(halves, shift, axis=0), np.zeros(4, int), 1, method)[0, 1] for shift in range(4)}
    assert len(pooled) == 1


def test_half_of_the_samples_are_enough():
    assert [is_enough(*pair) for pair in ((0, 1), (1, 1), (1, 2), (1, 3), (0, 0))] == [False, True, True, False, False]
