"""From probabilities to an answer."""

import numpy as np
import pytest

from pipeline.core import artifacts
from pipeline.prediction.decision_rule import Calibration, DecisionRule, calibrate, decide, in_words

PLAIN = DecisionRule()
SIGMOID = DecisionRule(calibration=Calibration("sigmoid", slope=1.9, intercept=-0.2))
TEMPERATURE = DecisionRule(calibration=Calibration("temperature", temperature=1.7))


def two(*positive):
    return np.column_stack([1 - np.array(positive), positive])


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.5, 1.0])
def test_the_positive_class_is_decided_from_the_threshold_on(threshold):
    result = decide(two(0.0, 0.19, 0.2, 0.5, 1.0), DecisionRule(threshold))
    assert result.tolist() == [int(p >= threshold) for p in (0.0, 0.19, 0.2, 0.5, 1.0)]
    assert result.dtype.kind == "i"


def test_of_more_classes_the_most_probable_is_decided():
    proba = np.array([[0.2, 0.5, 0.3], [0.4, 0.2, 0.4], [1 / 3, 1 / 3, 1 / 3]])
    assert decide(proba, DecisionRule(0.9)).tolist() == [1, 0, 0]


def test_the_plain_decision_is_the_most_probable_class():
    proba = np.random.default_rng(0).dirichlet([1, 1], 100)
    np.testing.assert_array_equal(decide(proba, PLAIN), proba.argmax(axis=1))


def test_one_row_is_decided_as_in_a_batch():
    proba = np.random.default_rng(0).dirichlet([1, 1], 50)
    assert [decide(row[None], PLAIN)[0] for row in proba] == decide(proba, PLAIN).tolist()


@pytest.mark.parametrize("rule", [PLAIN, SIGMOID, DecisionRule(0.3, chosen_for="a sensitivity of 0.9", refusal=1.3)])
def test_a_rule_survives_being_written_and_read(empty_folder, rule):
    artifacts.write_json("models/t/decisions/m.json", rule.to_json())
    assert DecisionRule.read("t", "m") == rule


def test_what_an_older_rule_lacks_has_its_default():
    assert artifacts.from_json(DecisionRule, {"threshold": 0.7}) == DecisionRule(0.7, Calibration(), "", np.inf)


# Calibration


def test_without_calibration_probabilities_keep_their_bits():
    proba = np.random.default_rng(0).dirichlet([1, 1], 50)
    assert calibrate(proba, PLAIN).tobytes() == proba.tobytes()


def test_a_sigmoid_is_computed_by_hand_on_the_logit():
    p = 0.8 * 0.999 + 0.0005
    expected = 1 / (1 + np.exp(-(1.9 * np.log(p / (1 - p)) - 0.2)))
    assert calibrate(two(0.8), SIGMOID)[0] == pytest.approx([1 - expected, expected], rel=1e-12)


def test_a_temperature_matches_the_formula_and_keeps_the_order():
    proba = np.array([[0.7, 0.2, 0.1]])
    powers = (proba * 0.999 + 0.001 / 3) ** (1 / 1.7)
    assert calibrate(proba, TEMPERATURE) == pytest.approx(powers / powers.sum(), rel=1e-12)
    many = np.random.default_rng(0).dirichlet([0.3, 0.3, 0.3], 200)
    np.testing.assert_array_equal(calibrate(many, TEMPERATURE).argmax(axis=1), many.argmax(axis=1))


@pytest.mark.parametrize("slope", [0.2, 1.0, 2.5])
def test_a_sigmoid_keeps_the_order_and_makes_no_ties(slope):
    p = np.sort(
        np.concatenate([[0, 1e-12, 1e-9, 1e-6, 1 - 1e-6, 1 - 1e-9, 1], np.random.default_rng(0).uniform(size=100)])
    )
    result = calibrate(two(*p), DecisionRule(calibration=Calibration("sigmoid", slope=slope, intercept=0.3)))
    assert (np.diff(result[:, 1]) > 0).all()


@pytest.mark.parametrize(("rule", "n_classes"), [(SIGMOID, 2), (TEMPERATURE, 5)])
def test_one_row_is_calibrated_to_the_bit_as_among_many(rule, n_classes):
    proba = np.random.default_rng(0).dirichlet(np.full(n_classes, 0.2), 301)
    alone = np.concatenate([calibrate(row[None], rule) for row in proba])
    assert alone.tobytes() == calibrate(proba, rule).tobytes()
    assert calibrate(np.asfortranarray(proba), rule).tobytes() == calibrate(proba, rule).tobytes()


@pytest.mark.parametrize(("rule", "n_classes"), [(SIGMOID, 2), (TEMPERATURE, 3)])
def test_votes_of_exactly_0_and_1_stay_probabilities(rule, n_classes):
    result = calibrate(np.eye(n_classes), rule)
    assert np.isfinite(result).all()
    assert result.sum(axis=1) == pytest.approx(np.ones(n_classes))
    assert (result > 0).all()


# In words


def test_the_answer_in_words_states_threshold_and_reason():
    rule = DecisionRule(0.3125, chosen_for="a sensitivity of at least 0.9")
    message = in_words("malignant", "malignant", rule)
    assert (
        message
        == "malignant: the probability of malignant is at or above 0.3125, chosen for a sensitivity of at least 0.9"
    )
    assert in_words("benign", "malignant", PLAIN) == "benign: the probability of malignant is below 0.5"
    assert in_words("normal", None, PLAIN) == "normal is the most probable class"
