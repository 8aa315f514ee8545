"""Visits of one patient share their label with near rows; labels that depend on the columns do not look like that."""

import numpy as np
import pandas as pd
import pytest

from pipeline.duplicates.label_clusters import agreement, contrasts, of_points, of_rows


def frame(X: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(X, columns=[f"x{k}" for k in range(X.shape[1])]).astype(float)


def visits(rng: np.random.Generator, spread: float = 0.3) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return 5 visits of 40 patients that overlap, their labels, drawn by patient, and the patients."""
    patient = np.repeat(np.arange(40), 5)
    X = rng.normal(size=(40, 4))[patient] + spread * rng.normal(size=(200, 4))
    return frame(X), rng.integers(0, 2, 40)[patient], patient


def test_overlapping_visits_of_one_patient_are_noticed():
    results = []
    for seed in range(8):
        X, label, _ = visits(np.random.default_rng(seed))
        results.append(of_rows(X, label, range(200), 0).detected)
    assert sum(results) >= 6


def test_the_patient_explains_what_is_shared():
    for seed in range(4):
        X, label, patient = visits(np.random.default_rng(seed))
        assert not of_rows(X, label, patient, 0).detected


def test_two_images_of_a_patient_are_noticed_by_their_label():
    rng = np.random.default_rng(0)
    axes, patient = rng.normal(size=(8, 60)), np.repeat(np.arange(80), 2)
    own, noise = rng.normal(size=(80, 8))[patient], 0.3 * rng.normal(size=(160, 8))
    label = rng.integers(0, 2, 80)
    embeddings = (own + noise) @ axes
    assert of_points(embeddings, label[patient], range(160), 0).detected
    assert not of_points(embeddings, rng.integers(0, 2, 160), range(160), 0).detected
    assert not of_points(embeddings, label[patient], patient, 0).detected


def test_visits_among_known_patients_are_noticed_where_only_they_are_judged():
    rng, hits, alarms = np.random.default_rng(1), 0, 0
    for _ in range(6):
        known, label = rng.normal(size=(240, 5)), rng.integers(0, 2, 240)
        new = np.arange(320) >= 240
        copies = np.vstack([known, known[:80] + 0.3 * rng.normal(size=(80, 5))])
        others = np.vstack([known, rng.normal(size=(80, 5))])
        hits += of_points(copies, [*label, *label[:80]], range(320), 0, new).detected
        alarms += of_points(others, [*label, *rng.integers(0, 2, 80)], range(320), 0, new).detected
    assert hits >= 4
    assert alarms == 0


LABELS = {
    "random": lambda r, X: r.integers(0, 2, len(X)),
    "rare": lambda r, X: (r.random(len(X)) < 0.05).astype(int),
    "linear": lambda r, X: (r.random(len(X)) < 1 / (1 + np.exp(-2 * X[:, 0]))).astype(int),
    "sharp": lambda r, X: (X.sum(axis=1) > 0).astype(int),
    "exclusive or": lambda r, X: ((X[:, 0] > 0) ^ (X[:, 1] > 0)).astype(int),
    "three classes": lambda r, X: np.digitize(X[:, 0] + 0.3 * r.normal(size=len(X)), [-0.5, 0.5]),
}


@pytest.mark.parametrize("labels", LABELS)
def test_labels_that_follow_the_columns_are_no_visits(labels):
    rng, alarms = np.random.default_rng(5), 0
    for n in [80, 150, 300] * 5:
        X = rng.normal(size=(n, 5))
        alarms += of_rows(frame(X), LABELS[labels](rng, X), range(n), 0).detected
    assert alarms <= 1  # of 15


def test_a_category_with_labels_of_its_own_is_no_patient():
    rng, alarms = np.random.default_rng(0), 0
    for _ in range(10):
        table = frame(rng.normal(size=(200, 2))).assign(
            ward=rng.choice(list("abc"), 200), sex=rng.choice(["f", "m"], 200)
        )
        label = ((table["ward"] == "a") ^ (table["sex"] == "f")).astype(int)
        result = of_rows(table, label, range(200), 0)
        alarms += result.detected
    assert result.columns == ["x0", "x1"]
    assert alarms == 0


@pytest.mark.parametrize("n", [1, 20, 59])
def test_few_rows_say_nothing(n):
    rng = np.random.default_rng(0)
    assert not of_rows(frame(rng.normal(size=(n, 3))), ["a"] * n, range(n), 0).detected


def test_agreement_is_one_for_equal_labels_and_zero_by_chance():
    neighbours = np.array([[1, 2], [0, 3], [3, 0], [2, 1]])
    assert agreement(neighbours, np.array([0, 0, 1, 1]), np.ones(4, bool)).tolist() == [1, -1]
    assert agreement(neighbours, np.zeros(4, int), np.ones(4, bool)).tolist() == [0, 0]


def test_a_straight_decline_is_no_excess():
    distance = np.arange(1, 41) ** (1 / 3)
    assert np.abs(contrasts(40, 3.0) @ (0.8 - 0.1 * distance)).max() < 1e-9
