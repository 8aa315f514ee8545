"""Models as they are compared: figures over the same resamples, as in their reports."""

import numpy as np
import pytest

from pipeline.core.params_models import OperatingPointParams
from pipeline.evaluation import calibration
from pipeline.evaluation.candidates import resample
from pipeline.prediction.decision_rule import DecisionRule, calibrate
from pipeline.stats import metrics
from pipeline.stats.bootstrap import bootstrap, resamples
from tests.helpers.models import dataset, mixed

POINT = OperatingPointParams()


@pytest.fixture
def predicted():
    """A development set, probabilities that are too sure of themselves, and a rule that calibrates them."""
    X, y = mixed(120, 2)
    dev = dataset(X, y, np.arange(120) // 2)
    x = 3 * (y - 0.5) + 4 * np.random.default_rng(0).normal(size=120)
    raw = np.column_stack([1 / (1 + np.exp(x)), 1 / (1 + np.exp(-x))])
    return dev, raw, DecisionRule(calibration=calibration.fit(raw, y))


def test_draws_are_those_of_the_reports_intervals(predicted):
    dev, raw, rule = predicted
    draws = resample(dev, raw, rule, POINT, 60, 7).drawn
    proba = calibrate(raw, rule)
    decided = (proba[:, 1] >= 0.5).astype(int)
    expected = bootstrap(dev.y, proba, decided, dev.group, 60, 7)
    for name in ("roc_auc", "accuracy", "f1"):
        assert draws[name] == pytest.approx(expected[name], nan_ok=True)
    unseen = bootstrap(dev.y, calibration.cross_calibrate(dev, raw), decided, dev.group, 60, 7)
    for name in ("log_loss", "brier_score_loss"):
        assert draws[name] == pytest.approx(unseen[name])


def test_left_out_figures_are_of_groups_that_were_not_drawn(predicted):
    dev, raw, rule = predicted
    left_out = resample(dev, raw, rule, POINT, 5, 7).left_out
    weights = next(resamples(dev.group, 5, 7))
    proba = calibrate(raw, rule)
    for number, row in enumerate(weights):
        rest = row == 0
        assert len(set(dev.group[rest]) & set(dev.group[~rest])) == 0
        expected = metrics.scores(dev.y[rest], proba[rest], proba[rest].argmax(axis=1))
        assert left_out["roc_auc"][number] == pytest.approx(expected["roc_auc"])
