"""Rows in clusters are noticed, independent rows are not, whatever their distribution."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data import tables
from pipeline.duplicates.rows.row_clusters import find_clusters


def frame(X: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(X, columns=[f"x{k}" for k in range(X.shape[1])]).astype(float)


def visits(rng: np.random.Generator, n: int = 300, each: int = 5, spread: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of patients with `each` visits and the patients' numbers."""
    patient = np.repeat(np.arange(n // each), each)
    return rng.normal(size=(n // each, 4))[patient] + spread * rng.normal(size=(n, 4)), patient


def alone(n: int) -> list[str]:
    return [str(i) for i in range(n)]


DESIGNS = {
    "normal": lambda r, n: r.normal(size=(n, 5)),
    "correlated": lambda r, n: r.normal(size=(n, 5)) @ r.normal(size=(5, 5)),
    "two classes apart": lambda r, n: r.normal(size=(n, 5)) + 8 * r.integers(0, 2, n)[:, None],
    "heavy tails": lambda r, n: r.standard_t(1.5, (n, 5)),
    "rounded": lambda r, n: np.round(r.normal(size=(n, 5)), 1),
    "integers": lambda r, n: np.round(20 * r.normal(size=(n, 3))),
    "many zeros": lambda r, n: np.where(r.random((n, 4)) < 0.4, 0, r.normal(size=(n, 4))),
    "five sites": lambda r, n: r.normal(size=(n, 5)) + 4 * r.normal(size=(5, 5))[r.integers(0, 5, n)],
    "ten subtypes": lambda r, n: r.normal(size=(n, 8)) + 4 * r.normal(size=(n // 20, 8))[r.integers(0, n // 20, n)],
    "few categories, too": lambda r, n: np.c_[r.normal(size=(n, 2)), r.integers(0, 3, n), r.integers(0, 2, n)],
}


@pytest.mark.parametrize("design", DESIGNS)
def test_independent_rows_are_rarely_called_clustered(design):
    rng, alarms = np.random.default_rng(3), 0
    for n in [80, 150, 200] * 7:
        alarms += find_clusters(frame(DESIGNS[design](rng, n)), alone(n), 0).detected
    assert alarms <= 1  # of 21


@pytest.mark.parametrize("each", [2, 3, 5, 10])
def test_visits_of_one_patient_are_noticed(each):
    rng = np.random.default_rng(each)
    X, _ = visits(rng, each=each, spread=0.02)
    result = find_clusters(frame(X), alone(300), 0)
    assert result.detected
    assert result.share > 0.5


def test_groups_explain_the_visits():
    X, patient = visits(np.random.default_rng(1))
    assert find_clusters(frame(X), alone(300), 0).detected
    explained = find_clusters(frame(X), patient.astype(str).tolist(), 0)
    assert not explained.detected
    assert explained.pairs == []


def test_joined_pairs_are_of_one_patient():
    X, patient = visits(np.random.default_rng(2), spread=0.05)
    pairs = find_clusters(frame(X), alone(300), 0).pairs
    assert len(pairs) > 200
    assert np.mean([patient[a] == patient[b] for a, b in pairs]) > 0.97


def test_jittered_copies_are_joined_with_their_rows():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(264, 4))
    X = np.r_[X, X[:36] * (1 + 0.0005 * rng.normal(size=(36, 4)))]
    result = find_clusters(frame(X), alone(300), 0)
    assert result.detected
    assert {(i, 264 + i) for i in range(36)} <= set(result.pairs)


def test_too_few_numbers_say_nothing():
    rng = np.random.default_rng(5)
    X = tables.typed(pd.DataFrame({"a": ["x"] * 100, "b": rng.integers(0, 3, 100).astype(str)}))
    result = find_clusters(X, alone(100), 0)
    assert not result.detected
    assert result.columns == []


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "iris", "diabetes"])
def test_tables_of_scikit_learn_have_no_clusters(name):
    from sklearn import datasets

    X = getattr(datasets, f"load_{name}")().data
    assert not find_clusters(frame(X), alone(len(X)), 0).detected
