"""The decision curve says where a model is better than treating all and none, and where it is not."""

import numpy as np
import pytest

from pipeline.evaluation.scoring import assess
from pipeline.evaluation.usefulness.decision_curve import NAMES, curve, in_words, with_net_benefit
from tests.helpers.models import dataset


@pytest.fixture
def calibrated():
    """Return 400 samples of two classes and probabilities that are right."""
    rng = np.random.default_rng(0)
    p = rng.beta(1, 3, 400)
    y = (rng.random(400) < p).astype(int)
    return dataset(np.zeros((400, 1), np.float32), y, folds=0), p


def test_calibrated_model_is_useful_in_its_range(calibrated):
    data, p = calibrated
    table = curve(data, p)
    inside = table[table["threshold"].between(0.2, 0.3)]
    assert (inside["gain_low"] > 0).all()
    assert (table["model_low"] <= table["model"]).all()
    assert np.allclose(table["gain"], table["model"] - table["all"].clip(lower=0))
    sentence = in_words(table, [0.2, 0.3])
    assert "at 11 of 11 thresholds from 0.2 to 0.3" in sentence
    assert "worse at 0." in sentence


def test_range_that_nobody_named_is_asked_for(calibrated):
    data, p = calibrated
    assert "threshold_range" in in_words(curve(data, p), None)


def test_wrong_probabilities_do_harm(calibrated):
    data, p = calibrated
    assert (curve(data, 1 - p)["gain_high"] < 0).any()


def test_intervals_out_of_fold_are_wider(calibrated):
    data, p = calibrated
    given, wider = curve(data, p), curve(data, p, 5)
    assert (wider["model_high"] >= given["model_high"]).all()
    assert (wider["all_high"] == given["all_high"]).all()


def test_report_has_the_net_benefit_of_the_decisions(calibrated):
    data, p = calibrated
    decided = (p >= 0.3).astype(int)
    proba = np.column_stack([1 - p, p])
    report = with_net_benefit(assess(data, proba, decided, 100, 0), data, decided, 0.3)
    row = curve(data, p).set_index("threshold").loc[0.3]
    assert [report[name] for name in NAMES] == pytest.approx([row["model"], row["gain"]])
    assert report.ci["net_benefit"] == pytest.approx([row["model_low"], row["model_high"]])
