"""From probabilities to an answer."""

import json

import numpy as np
import pytest

from pipeline.decision import decide, plain


def two(*positive):
    return np.column_stack([1 - np.array(positive), positive])


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.5, 1.0])
def test_the_positive_class_is_decided_from_the_threshold_on(threshold):
    found = decide(two(0.0, 0.19, 0.2, 0.5, 1.0), plain() | {"threshold": threshold})
    assert found.tolist() == [int(p >= threshold) for p in (0.0, 0.19, 0.2, 0.5, 1.0)]
    assert found.dtype.kind == "i"


def test_of_more_classes_the_most_probable_is_decided_and_the_first_of_equals():
    proba = np.array([[0.2, 0.5, 0.3], [0.4, 0.2, 0.4], [1 / 3, 1 / 3, 1 / 3]])
    assert decide(proba, plain() | {"threshold": 0.9}).tolist() == [1, 0, 0]


def test_the_plain_decision_is_the_most_probable_class():
    proba = np.random.default_rng(0).dirichlet([1, 1], 100)
    np.testing.assert_array_equal(decide(proba, plain()), proba.argmax(axis=1))


def test_a_batch_of_one_is_decided_as_in_a_batch_of_many():
    proba = np.random.default_rng(0).dirichlet([1, 1], 50)
    assert [decide(row[None], plain())[0] for row in proba] == decide(proba, plain()).tolist()


def test_a_decision_survives_json():
    proba = np.random.default_rng(0).dirichlet([1, 1], 50)
    np.testing.assert_array_equal(decide(proba, json.loads(json.dumps(plain()))), decide(proba, plain()))
