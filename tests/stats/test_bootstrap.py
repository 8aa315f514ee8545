"""The bootstrap over groups: right numbers per draw, pairs across models, and intervals that keep their word."""

import tracemalloc

import numpy as np
import pytest

from pipeline.stats import bootstrap as bootstrap_module
from pipeline.stats.bootstrap import bootstrap, difference_interval, resamples
from pipeline.stats.metrics import scores

pytestmark = pytest.mark.filterwarnings("error")
CLOSE = {"rel": 1e-9, "abs": 1e-12, "nan_ok": True}


def predictions(n_classes=2, n=120, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n)
    proba = rng.multinomial(10, np.ones(n_classes) / n_classes, size=n) * 0.08 + np.eye(n_classes)[y] * 0.2
    return y, proba, np.where(rng.random(n) < 0.2, 0, proba.argmax(axis=1))


def percentiles(draws):
    return {name: np.nanquantile(values, [0.025, 0.975]) for name, values in draws.items()}


def drawn(groups, draws, seed):
    return np.concatenate(list(resamples(groups, draws, seed)))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_each_draw_scores_like_the_samples_it_drew(n_classes):
    data, groups = predictions(n_classes), np.arange(120) // 3
    draws = bootstrap(*data, groups, draws=20, seed=1)
    for draw, counts in enumerate(drawn(groups, 20, 1).astype(int)):
        plain = scores(*(np.repeat(array, counts, axis=0) for array in data))
        assert {name: values[draw] for name, values in draws.items()} == pytest.approx(plain, **CLOSE)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_every_group_drawn_once_gives_the_plain_scores(n_classes):
    data = predictions(n_classes)
    draws = bootstrap(*data, groups=np.zeros(120), draws=5, seed=0)  # a single group can only be drawn once
    plain = scores(*data)
    assert draws.keys() == plain.keys()
    for name, values in draws.items():
        assert values == pytest.approx(np.full(5, plain[name]), **CLOSE)


def test_draws_keep_groups_whole_and_their_number():
    groups = np.array(["b", "a", "b", "c", "a", "b"])
    weights = drawn(groups, 500, 3)
    first = weights[:, [1, 0, 3]]
    assert (first.sum(axis=1) == 3).all()
    assert (weights == first[:, [1, 0, 1, 2, 0, 1]]).all()
    assert first.mean(axis=0) == pytest.approx([1, 1, 1], abs=0.15)


def test_equal_groups_and_seed_give_equal_resamples():
    y, proba, decided = predictions()
    groups = np.arange(120) // 2
    first = bootstrap(y, proba, decided, groups, 50, seed=4)
    other = bootstrap(y, proba[:, ::-1], decided, groups, 50, seed=4)
    assert (first["accuracy"] == other["accuracy"]).all()
    assert difference_interval(first["roc_auc"], first["roc_auc"]) == [0, 0]
    assert (bootstrap(y, proba, decided, groups, 50, seed=5)["accuracy"] != first["accuracy"]).any()


def test_resamples_do_not_depend_on_sample_order():
    groups = np.random.default_rng(0).integers(30, size=90).astype(str)
    order = np.random.default_rng(1).permutation(90)
    assert (drawn(groups, 40, 0)[:, order] == drawn(groups[order], 40, 0)).all()


@pytest.mark.parametrize("block", [1, 500, 10**6])
def test_block_size_changes_no_bit(block, monkeypatch):
    groups = np.arange(120) // 3
    usual = bootstrap(*predictions(3), groups, 30, seed=0)
    monkeypatch.setattr(bootstrap_module, "BLOCK", block)
    for name, values in bootstrap(*predictions(3), groups, 30, seed=0).items():
        assert values.tobytes() == usual[name].tobytes()


def test_copies_within_a_group_do_not_narrow_the_interval():
    data, groups = predictions(), np.arange(120)
    plain = percentiles(bootstrap(*data, groups, 300, seed=0))
    copies = [np.repeat(array, 4, axis=0) for array in (*data, groups)]
    together = percentiles(bootstrap(*copies, 300, seed=0))
    apart = percentiles(bootstrap(*copies[:3], np.arange(480), 300, seed=0))
    for name, interval in plain.items():
        assert together[name] == pytest.approx(interval, **CLOSE)
        assert np.diff(apart[name]) < 0.8 * np.diff(interval)


def test_intervals_cover_the_truth_in_95_of_100():
    covered = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        ease = np.repeat(rng.beta(7, 3, size=60), 3)  # a patient's three samples are alike; 70 % are right on average
        y = rng.integers(2, size=180)
        decided = np.where(rng.random(180) < ease, y, 1 - y)
        draws = bootstrap(y, np.full((180, 2), 0.5), decided, np.arange(180) // 3, 300, seed)
        low, high = percentiles(draws)["accuracy"]
        covered += low <= 0.7 <= high
    assert 88 <= covered <= 100


def test_difference_uses_draws_defined_in_both():
    values = np.concatenate([np.arange(201.0), [np.nan] * 50])
    assert difference_interval(values, np.ones(251)) == [pytest.approx(4), pytest.approx(194)]
    assert difference_interval(np.ones(251), values) == [pytest.approx(-194), pytest.approx(-4)]


def test_fewer_than_half_of_the_draws_defined_give_no_interval():
    half, fewer = np.array([0.5, 0.6, np.nan, np.nan]), np.array([0.5, 0.6, np.nan, np.nan, np.nan])
    assert np.isfinite(difference_interval(half, np.zeros(4))).all()
    assert np.isnan(difference_interval(fewer, np.zeros(5))).all()
    assert np.isnan(difference_interval(np.zeros(5), np.full(5, np.nan))).all()


def test_draws_may_lack_a_class_without_a_warning():
    y, proba, decided = predictions()
    y = (np.arange(120) == 7).astype(int)
    draws = bootstrap(y, proba, decided, np.arange(120), 400, seed=0)
    assert np.isnan(draws["roc_auc"]).mean() == pytest.approx(1 / np.e, abs=0.08)
    assert not np.isnan(draws["accuracy"]).any()


def test_a_paired_difference_is_known_better_than_two_models_apart():
    y, proba, _ = predictions(n=300)
    good = np.where(np.arange(300) % 4 == 0, 1 - y, y)
    worse = np.where(np.arange(300) % 20 == 1, 1 - y, good)  # the same errors and a few more
    a, b = (bootstrap(y, proba, decided, np.arange(300), 500, seed=0)["accuracy"] for decided in (good, worse))
    low, high = difference_interval(a, b)
    assert 0 < low < 0.05 < high
    assert high - low < 0.7 * np.diff(percentiles({"a": a})["a"])[0]


def test_bootstrap_of_8036_samples_fits_in_300_mb():
    data = predictions(7, n=8036)
    tracemalloc.start()
    bootstrap(*data, np.arange(8036), 1000, seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300e6
