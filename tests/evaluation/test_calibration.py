"""Calibrators are those of the reference implementations, chosen without looking at the samples that judge them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.calibration import CalibratedClassifierCV, _SigmoidCalibration
from sklearn.metrics import roc_auc_score

from pipeline.evaluation.calibration import choose, cross_calibrate, fit, out_of_fold, squares
from pipeline.prediction.decision_rule import Calibration, DecisionRule, calibrate, log_odds
from pipeline.stats import metrics
from tests.helpers.models import dataset

pytestmark = pytest.mark.filterwarnings("error")


def overconfident(n=300, n_classes=2, power=3.0, seed=0):
    """Return a development set in pairs, and probabilities whose logarithms are `power` times too large."""
    rng = np.random.default_rng(seed)
    logits = 1.2 * rng.normal(size=(n, n_classes))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y = (p.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    raw = p**power
    return dataset(np.zeros((n, 1), np.float32), y, np.arange(n) // 2), raw / raw.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("power", [0.4, 1.0, 3.0])
def test_the_sigmoid_is_scikit_learns_on_the_logit(power):
    dev, raw = overconfident(power=power)
    theirs = _SigmoidCalibration().fit(log_odds(raw), dev.y)
    calibration = fit(raw, dev.y)
    assert (calibration.slope, calibration.intercept) == (
        pytest.approx(-theirs.a_, abs=1e-4),
        pytest.approx(-theirs.b_, abs=1e-4),
    )
    proba = calibrate(raw, DecisionRule(calibration=calibration))[:, 1]
    assert proba == pytest.approx(theirs.predict(log_odds(raw)), abs=1e-4)


def test_calibrated_probabilities_are_those_of_calibrated_classifier_cv():
    """On a classifier whose decision function is the logit, frozen, which leaves scikit-learn the sigmoid alone to fit."""
    from sklearn.frozen import FrozenEstimator
    from sklearn.linear_model import LogisticRegression

    dev, raw = overconfident()
    X = log_odds(raw)[:, None]
    logit = LogisticRegression().fit(X, dev.y)
    logit.coef_, logit.intercept_ = np.array([[1.0]]), np.array([0.0])
    theirs = CalibratedClassifierCV(FrozenEstimator(logit), method="sigmoid").fit(X, dev.y)
    ours = calibrate(raw, DecisionRule(calibration=fit(raw, dev.y)))
    assert ours == pytest.approx(theirs.predict_proba(X), abs=1e-4)


@pytest.mark.parametrize("power", [0.5, 2.5])
def test_the_temperature_is_the_one_that_scipy_finds(power):
    dev, raw = overconfident(n_classes=4, power=power)
    result = fit(raw, dev.y).temperature

    missed = 1 / (np.bincount(dev.y)[dev.y] + 2)[:, None]  # Platt's targets
    target = np.where(dev.y[:, None] == np.arange(4), 1 - missed, missed / 3)

    def loss(temperature):
        rule = DecisionRule(calibration=Calibration("temperature", temperature=temperature))
        return -np.sum(target * np.log(calibrate(raw, rule)))

    theirs = minimize_scalar(loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-7})
    assert result == pytest.approx(theirs.x, abs=1e-4)
    assert result == pytest.approx(power, rel=0.3)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_an_overconfident_model_is_calibrated_and_its_order_kept(n_classes):
    dev, raw = overconfident(n_classes=n_classes)
    result, report = choose(dev, raw, 200, 7)
    assert result.method == report.method == report.tried == ("sigmoid" if n_classes == 2 else "temperature")
    assert report.after["brier_score_loss"] < report.before["brier_score_loss"]
    assert report.after["ece"] < 0.6 * report.before["ece"]
    assert report.brier_difference_ci[1] < 0
    proba = calibrate(raw, DecisionRule(calibration=result))
    if n_classes == 2:
        assert roc_auc_score(dev.y, proba[:, 1]) == roc_auc_score(dev.y, raw[:, 1])
    assert result.rounded() == result


def test_before_and_after_metrics_have_a_paired_difference():
    dev, raw = overconfident()
    _, report = choose(dev, raw, 200, 7)
    crossed = cross_calibrate(dev, raw)
    for side, proba in (("before", raw), ("after", crossed)):
        scores = metrics.scores(dev.y, proba, dev.y)
        assert getattr(report, side) == {name: scores[name] for name in ("brier_score_loss", "ece")}
        assert squares(dev.y, proba).mean() == pytest.approx(scores["brier_score_loss"])
    difference = report.after["brier_score_loss"] - report.before["brier_score_loss"]
    assert report.brier_difference == pytest.approx(difference)
    assert report.brier_difference_ci[0] < difference < report.brier_difference_ci[1]


def test_no_calibrator_sees_the_fold_that_it_is_judged_on():
    dev, raw = overconfident()
    before = cross_calibrate(dev, raw)
    swapped = dev.fold == 2
    after = cross_calibrate(replace(dev, y=np.where(swapped, 1 - dev.y, dev.y)), raw)
    np.testing.assert_array_equal(after[swapped], before[swapped])
    assert (after[~swapped] != before[~swapped]).all()


def test_a_model_that_is_calibrated_already_is_left_alone():
    kept = 0
    for seed in range(12):
        dev, raw = overconfident(power=1.0, seed=seed)
        result, report = choose(dev, raw, 100, 7)
        kept += result.method == "none"
        assert abs(report.brier_difference) < 0.005
        if result.method == "none":
            assert out_of_fold(dev, raw, DecisionRule(calibration=result)) is raw
    assert kept >= 6


@pytest.mark.parametrize("n_classes", [2, 4])
def test_an_order_that_is_upside_down_is_not_reversed(n_classes):
    dev, raw = overconfident(n_classes=n_classes)
    assert choose(dev, (1 - raw) / (n_classes - 1), 100, 7)[0] == Calibration()


@pytest.mark.parametrize("n_classes", [2, 4])
def test_probabilities_that_are_all_the_same_stay_so(n_classes):
    dev, raw = overconfident(n_classes=n_classes)
    result, report = choose(dev, np.full_like(raw, 1 / n_classes), 100, 7)
    assert (np.ptp(calibrate(np.full_like(raw, 1 / n_classes), DecisionRule(calibration=result)), axis=0) == 0).all()
    assert np.isfinite(report.after["brier_score_loss"])


def test_classes_that_do_not_overlap_give_finite_numbers():
    y = np.arange(60) % 2
    dev = dataset(np.zeros((60, 1), np.float32), y, np.arange(60) // 2)
    result = fit(np.column_stack([1.0 - y, y]), y)
    assert np.isfinite([result.slope, result.intercept]).all()
    report = choose(dev, np.column_stack([1.0 - y, y]), 100, 7)[1]
    assert report.after["brier_score_loss"] < 0.002


def test_several_classes_that_do_not_overlap_give_no_certainty():
    y = np.arange(90) % 3
    raw = np.where(y[:, None] == np.arange(3), 0.98, 0.01)
    result = fit(raw, y)
    proba = calibrate(raw, DecisionRule(calibration=result))
    assert proba.max() == pytest.approx(1 - 1 / 32, abs=1e-3), "a class of 30 samples"
