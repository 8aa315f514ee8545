"""Intervals keep their word, near the ends too, and say nothing where there is nothing to be said."""

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_ind

from pipeline.stats import intervals
from pipeline.stats.bootstrap import bootstrap
from pipeline.stats.intervals import moved, nadeau_bengio, of_metric, of_paired, of_share, of_training, student, wilson
from pipeline.stats.metrics import scores

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_worked_examples_of_newcombe_1998(successes, n, low, high):
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_equals_scipys():
    for n in (1, 5, 56):
        for successes in range(n + 1):
            theirs = binomtest(successes, n).proportion_ci(0.9, method="wilson")
            assert wilson(successes, n, level=0.9) == pytest.approx(tuple(theirs), abs=1e-12)


def test_wilson_of_nothing_and_of_no_successes():
    assert np.isnan(wilson(0, 0)).all()
    assert wilson(0, 7)[0] == 0
    assert wilson(7, 7)[1] == 1


# Shares of samples that come in groups


def test_the_share_of_single_samples_has_wilsons_interval():
    right = np.arange(50) < 41
    assert of_share(right, np.random.default_rng(0).permutation(50)) == list(wilson(41, 50))


@pytest.mark.parametrize("copies", [2, 5])
def test_copies_within_a_group_count_as_one_sample(copies):
    right = np.arange(60) % 4 > 0
    alike = of_share(np.repeat(right, copies), np.repeat(np.arange(60), copies))
    effective = 60 * copies * 59 / (60 * copies - 1) * (student() / student(59)) ** 2  # by hand, of the formula
    assert alike == pytest.approx(wilson(0.75 * effective, effective))
    assert alike == pytest.approx(wilson(45, 60), abs=0.005)
    assert np.diff(alike) > np.diff(wilson(45 * copies, 60 * copies))


def test_negative_correlation_in_groups_does_not_narrow_intervals():
    right, groups = np.tile([True, False], 50), np.repeat(np.arange(50), 2)  # one right and one wrong in each
    low, high = of_share(right, groups)
    assert high - low >= np.diff(wilson(50, 100))[0]


@pytest.mark.parametrize("value", [True, False])
def test_share_of_0_or_1_counts_groups(value):
    interval = of_share(np.full(40, value), np.repeat(np.arange(8), 5))
    assert interval == list(wilson(8 * value, 8))


def test_share_of_nothing_and_of_one_group():
    assert np.isnan(of_share(np.array([], dtype=bool), np.array([]))).all()
    low, high = of_share(np.array([True, True, False]), np.zeros(3))
    assert high - low > 0.7


def test_two_groups_say_less_than_ten():
    widths = [np.diff(of_share(np.arange(40) % 3 > 0, np.arange(40) % n))[0] for n in (2, 10)]
    assert widths[0] > 1.5 * widths[1]


def test_variance_of_single_samples_is_the_binomial_one():
    assert intervals.variance_of_share(np.arange(50) < 41, np.arange(50)) == pytest.approx(0.82 * 0.18 / 50)
    assert intervals.variance_of_share(np.ones(6, bool), np.arange(6) // 2) == 0
    assert intervals.variance_of_share(np.array([True, False]), np.zeros(2)) == 0


def test_satterthwaite_equals_welchs_degrees_of_freedom():
    a, b = np.random.default_rng(0).normal(size=12), 3 * np.random.default_rng(1).normal(size=7)
    variances, degrees = (a.var(ddof=1) / 12, b.var(ddof=1) / 7), (11, 6)
    expected = ttest_ind(a, b, equal_var=False).df
    assert intervals.satterthwaite(variances, degrees) == pytest.approx(expected)
    assert intervals.satterthwaite((0.0, 0.0), degrees) == np.inf


# Other metrics


def predictions(n=200, seed=0, ease=2.0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    p = 1 / (1 + np.exp(-ease * (2 * y - 1) - 2 * rng.normal(size=n)))
    return y, np.column_stack([1 - p, p]), (p >= 0.5).astype(int)


def test_intervals_are_ordered_in_range_and_hold_the_figure():
    for ease in (-1.0, 0.0, 2.0, 3.0):
        data = predictions(ease=ease)
        figures, draws = scores(*data), bootstrap(*data, np.arange(200) // 2, 400, seed=0)
        for name, values in draws.items():
            if name == "ece":  # has none
                continue
            low, high = of_metric(name, figures[name], values, 100, 100)
            assert low < high
            assert low >= (-1 if name == "matthews_corrcoef" else 0)
            assert high <= (np.inf if name == "log_loss" else 1)
            assert low <= figures[name] <= high


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "brier_score_loss", "log_loss"])
def test_scaled_intervals_are_those_computed_by_hand(name):
    draws = np.random.default_rng(0).uniform(0.6, 0.9, 500)
    scale, back = (np.log, np.exp)
    if name in ("roc_auc", "average_precision"):
        scale, back = (lambda p: np.log(p / (1 - p)), lambda x: 1 / (1 + np.exp(-x)))
    reach = 2.0930240544082634 * np.sqrt(20 / 19) * scale(draws).std(ddof=1)  # Student's quantile for 19, from tables
    expected = back(scale(0.8) + np.array([-reach, reach]))
    assert of_metric(name, 0.8, draws, 20, 9) == pytest.approx(expected, rel=1e-9)


def test_faultless_interval_depends_on_group_count():
    y = np.arange(30) % 2
    proba = np.column_stack([1.0 - y, y])
    for name, draws in bootstrap(y, proba, y, np.arange(30), 200, seed=0).items():
        low, high = of_metric(name, scores(y, proba, y)[name], draws, 30, 15)
        if name not in ("brier_score_loss", "log_loss", "ece"):
            assert (low, high) == (pytest.approx(wilson(15, 15)[0]), 1)


@pytest.mark.parametrize("name", ["log_loss", "brier_score_loss", "precision_macro"])
def test_figure_that_no_draw_changes_has_no_interval(name):
    for figure in (0.01, 0.7):
        assert np.isnan(of_metric(name, figure, np.full(200, figure), 30, 10)).all()


def test_areas_that_no_draw_changes_are_of_constants_or_ends():
    constant, wrong = (of_metric("roc_auc", figure, np.full(200, figure), 30, 10) for figure in (0.5, 0.0))
    assert constant == [0.5, 0.5]
    assert wrong == [0, wilson(0, 10)[1]]


def test_an_auc_of_nearly_1_has_an_interval_below_1():
    y = np.arange(60) % 2
    p = np.where(y == 1, 0.9, 0.1) - np.where(np.arange(60) == 1, 0.85, 0)  # one positive below most negatives
    data = y, np.column_stack([1 - p, p]), (p >= 0.5).astype(int)
    draws = bootstrap(*data, np.arange(60), 500, seed=0)["roc_auc"]
    assert (draws == 1).any()
    low, high = of_metric("roc_auc", scores(*data)["roc_auc"], draws, 60, 30)
    assert 0.7 < low < 0.97 < high < 1


def test_too_little_data_gives_no_interval():
    half, fewer = np.array([0.5, 0.6, np.nan, np.nan]), np.array([0.5, 0.6, np.nan, np.nan, np.nan])
    assert np.isfinite(of_metric("f1", 0.5, half, 9, 3)).all()
    for figure, draws, groups in ((0.5, fewer, 9), (np.nan, half, 9), (0.5, half, 1), (0.5, np.full(9, np.nan), 9)):
        assert np.isnan(of_metric("f1", figure, draws, groups, 1)).all()


def test_the_interval_of_a_difference_is_newcombes_of_two_shares():
    """Newcombe 1998, table II: 56/70 and 48/80 differ by 0.2, method 10 gives 0.0524 to 0.3339."""
    a, b = intervals.wilson(56, 70), intervals.wilson(48, 80)
    low, high = intervals.of_difference(56 / 70, list(a), 48 / 80, list(b))
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_difference_interval_is_undefined_with_a_figure():
    assert np.isnan(intervals.of_difference(np.nan, None, 0.5, [0.4, 0.6])).all()
    assert np.isnan(intervals.of_difference(0.5, [0.4, 0.6], 0.5, [np.nan, np.nan])).all()


# Of what training adds, and of differences


def test_fewer_folds_and_nothing_learnt_widen_more():
    five, ten = of_training(5), of_training(10)
    assert (five.other, five.of("roc_auc"), five.of("log_loss")) == (1.25, 1.25, five.shares)
    assert 1 < ten.shares < five.shares < five.other
    blind = of_training(5, has_learnt=False)
    assert blind.other == five.other
    assert five.other < blind.shares < blind.errors


def test_nadeau_and_bengio_add_the_variance_of_training():
    """Of ten folds the variance is 1/10 + 1/9 instead of 1/10."""
    assert nadeau_bengio(10) ** 2 == pytest.approx((1 / 10 + 1 / 9) / (1 / 10))


def test_widening_multiplies_the_reach_on_the_metrics_scale():
    draws = np.random.default_rng(0).uniform(0.6, 0.9, 500)
    logits = [np.log(np.array(of_metric("roc_auc", 0.8, draws, 20, 9, widen)) ** -1 - 1) for widen in (1, 1.5)]
    assert np.diff(logits[1]) == pytest.approx(1.5 * np.diff(logits[0]))
    right = np.arange(50) < 41
    assert of_share(right, np.arange(50), 2.0) == pytest.approx(wilson(41 / 4, 50 / 4))


def test_paired_interval_is_students():
    draws = np.random.default_rng(0).normal(0.1, 0.02, 400)
    low, high = of_paired(0.1, draws, 20, 1.5)
    reach = 1.5 * 2.0930240544082634 * np.sqrt(20 / 19) * draws.std()
    assert (low, high) == (pytest.approx(0.1 - reach), pytest.approx(0.1 + reach))
    assert np.isnan(of_paired(np.nan, draws, 20, 1.0)).all()
    assert np.isnan(of_paired(0.1, np.full(5, np.nan), 20, 1.0)).all()


def test_corrected_interval_keeps_its_width_on_the_metrics_scale():
    def logit(p):
        return np.log(np.array(p) / (1 - np.array(p)))

    ends = moved("roc_auc", [0.7, 0.9], 0.82, 0.78)
    assert logit(ends) - logit([0.7, 0.9]) == pytest.approx(np.full(2, logit(0.78) - logit(0.82)))
    assert moved("log_loss", [0.4, 0.8], 0.6, 0.66) == pytest.approx([0.44, 0.88])
    low, high = moved("matthews_corrcoef", [-0.2, 0.4], 0.1, 0.0)
    assert -1 < low < -0.2 < 0 < high < 0.4
    assert moved("roc_auc", [0.7, 0.9], 0.82, 0.82) == pytest.approx([0.7, 0.9])
