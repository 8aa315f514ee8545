"""Performance in use is estimated from probabilities and measured from labels, each with an interval that covers."""

import numpy as np
import pytest

from pipeline.monitoring.histograms import Reference, Tally, count_predictions
from pipeline.monitoring.performance import estimated, measured

CLASSES = ["benign", "malignant"]


def served(n, seed, threshold=0.4):
    """Return the counts of n samples with calibrated probabilities, and their actual classes, decisions and probabilities."""
    rng = np.random.default_rng(seed)
    p = rng.beta(0.8, 1.6, n)
    y, decided = (rng.random(n) < p).astype(int), (p >= threshold).astype(int)
    proba = np.column_stack([1 - p, p])
    tally = count_predictions(CLASSES, decided, proba, np.zeros(n), np.zeros((n, 0)), np.zeros(n, bool))
    return tally, y, decided, p


def test_estimate_covers_the_accuracy_that_nobody_has_measured():
    reference, inside = Reference(served(2000, 1)[0], 2000, []), 0
    for seed in range(2, 302):
        tally, y, decided, _ = served(150, seed)
        low, high = estimated(tally, reference)["accuracy"].ci
        inside += low <= np.mean(y == decided) <= high
    assert inside / 300 >= 0.93


def test_estimated_predictive_values_are_those_of_calibrated_answers():
    tally, y, decided, _ = served(50_000, 1)
    result = estimated(tally, Reference(tally, 50_000, []))
    assert result["precision"].figure == pytest.approx(np.mean(y[decided == 1]), abs=0.01)
    assert result["negative_predictive_value"].figure == pytest.approx(np.mean(y[decided == 0] == 0), abs=0.01)


def test_outcomes_give_the_figures_of_the_decisions():
    tally, y, decided, p = served(400, 3)
    for actual, answer, shown in zip(y, decided, p, strict=True):
        tally.add_outcome(CLASSES[actual], CLASSES[answer], shown)
    result = measured(tally, CLASSES)
    assert result["accuracy"].figure == np.mean(y == decided)
    assert result["recall"].figure == np.mean(decided[y == 1] == 1)
    assert result["specificity"].figure == np.mean(decided[y == 0] == 0)
    pairs = p[y == 1][:, None] > p[y == 0]
    assert result["roc_auc"].figure == pytest.approx(pairs.mean(), abs=0.01)
    low, high = result["roc_auc"].ci
    assert low < result["roc_auc"].figure < high
    assert measured(Tally.from_json(tally.to_json()), CLASSES) == result


def test_refused_samples_are_not_right_or_wrong():
    tally = Tally()
    tally.add_outcome("malignant", "", None)
    assert measured(tally, CLASSES) == {}


def test_few_outcomes_have_no_interval():
    tally = Tally()
    tally.add_outcome("malignant", "malignant", 0.9)
    accuracy = measured(tally, CLASSES)["accuracy"]
    assert (accuracy.figure, accuracy.n) == (1, 1)
    assert np.isnan(accuracy.ci).all()
