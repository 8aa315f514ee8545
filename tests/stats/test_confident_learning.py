"""Labels that were flipped are among the first suspects; as the package cleanlab ranks them."""

import numpy as np
import pytest

from pipeline.stats.confident_learning import suspects, wrong_by_pair


def flipped(n_classes, n=600, wrong=30, seed=0):
    """Return labels of which some are flipped, these rows, and probabilities that are right for the most part."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, n)
    score = rng.normal(size=(n, n_classes)) + 3.5 * np.eye(n_classes)[truth]
    proba = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    rows = rng.choice(n, wrong, replace=False)
    y = truth.copy()
    y[rows] = (truth[rows] + rng.integers(1, n_classes, wrong)) % n_classes
    return y, rows, proba


@pytest.mark.parametrize("n_classes", [2, 4])
def test_flipped_labels_come_first(n_classes):
    y, rows, proba = flipped(n_classes)
    ranked = suspects(y, proba)
    assert len(set(ranked.rows[:30]) & set(rows)) >= 24
    assert len(ranked.rows) < 90
    assert (ranked.instead != y[ranked.rows]).all()
    margins = proba[ranked.rows, ranked.instead] - proba[ranked.rows, y[ranked.rows]]
    assert (np.diff(margins) <= 0).all()
    assert (margins > 0).all()


def test_certain_and_right_labels_are_not_suspect():
    y = np.arange(40) % 2
    proba = np.where(y[:, None] == np.arange(2), 0.9, 0.1)
    assert len(suspects(y, proba).rows) == 0


def test_joint_is_that_of_a_small_example():
    # class 0: mean .7; class 1: mean .6. Of four labelled 0 one is confidently 1, of four labelled 1 none is confidently 0.
    of_one = np.array([0.1, 0.1, 0.1, 0.9, 0.8, 0.8, 0.4, 0.4])
    y = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    assert wrong_by_pair(y, np.column_stack([1 - of_one, of_one])).tolist() == [[0, 1], [0, 0]]
    assert suspects(y, np.column_stack([1 - of_one, of_one])).rows.tolist() == [3]


def test_class_without_a_sample_is_never_the_answer():
    proba = np.tile([0.1, 0.1, 0.8], (10, 1))
    assert (wrong_by_pair(np.arange(10) % 2, proba)[:, 2] == 0).all()
