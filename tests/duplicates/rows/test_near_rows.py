"""Edited copies of existing rows are recognised, rows of new patients are not."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data import tables
from pipeline.duplicates.rows.near_rows import NearRows, without_copies


def typed(X: np.ndarray) -> pd.DataFrame:
    return tables.typed(pd.DataFrame(X, columns=[f"x{k}" for k in range(X.shape[1])]).astype(str))


DESIGNS = {
    "measurements": lambda r, n: r.normal(size=(n, 4)),
    "correlated": lambda r, n: r.normal(size=(n, 2)) @ r.normal(size=(2, 6)) + 0.3 * r.normal(size=(n, 6)),
    "age and measurements": lambda r, n: np.c_[r.integers(20, 90, n), r.normal(size=(n, 2)), r.integers(0, 2, n)],
}


@pytest.mark.parametrize("jitter", [0, 0.0005, 0.01])
@pytest.mark.parametrize("design", DESIGNS)
def test_jittered_copies_are_recognised(design, jitter):
    rng = np.random.default_rng(0)
    X = DESIGNS[design](rng, 300)
    copies = X[:36] * (1 + jitter * rng.normal(size=(36, X.shape[1])) * (X[:36] != np.round(X[:36])))
    result = NearRows(typed(X)).find(typed(copies))
    assert sum(result[i] == i for i in range(36)) >= (34 if jitter < 0.01 else 18)


@pytest.mark.parametrize("design", DESIGNS)
def test_rows_of_new_patients_are_rarely_called_copies(design):
    rng = np.random.default_rng(1)
    X = DESIGNS[design](rng, 2300)
    result = NearRows(typed(X[:300])).find(typed(X[300:]))
    assert np.mean([position is not None for position in result]) < 0.02


def test_a_table_of_categories_says_nothing():
    X = np.random.default_rng(2).integers(0, 2, size=(100, 5))
    assert NearRows(typed(X)).find(typed(X[:3])) == [None] * 3


@pytest.mark.parametrize("edit", [0.0, 0.01])
def test_one_of_each_pair_of_copies_stays(edit):
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 3)), columns=list("abc"))
    both = pd.concat([rows, rows + edit], ignore_index=True)
    kept = without_copies(both, list(both))
    assert len(kept) > 80
    assert not any({row, row + 100} <= kept for row in range(100))
    assert len(without_copies(rows, list(rows))) > 90
