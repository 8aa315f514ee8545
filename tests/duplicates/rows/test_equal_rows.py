"""Equal rows are patients as long as the columns explain them, and duplicates beyond that."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data import tables
from pipeline.duplicates.rows.equal_rows import EqualRows, copied_pairs, expect_equal, find_equal_rows


def rows_equal(X: np.ndarray) -> EqualRows:
    table = tables.typed(pd.DataFrame(X, columns=[f"x{k}" for k in range(X.shape[1])]).astype(str))
    return find_equal_rows(table, ["|".join(map(str, row)) for row in table.itertuples(index=False)], 0)


def symptoms(rng: np.random.Generator, n: int = 600) -> np.ndarray:
    """Return twelve yes/no columns that depend on each other; the healthy have none."""
    severity, is_sick = rng.normal(size=(n, 1)), rng.random((n, 1)) < 0.4
    return ((severity * 1.5 + rng.normal(size=(n, 12)) > 0.8) & is_sick).astype(int)


GENUINE = {
    "four answers": lambda r: r.integers(0, 2, (500, 4)),
    "four answers and an age": lambda r: np.c_[r.integers(0, 2, (800, 4)), r.integers(20, 90, 800)],
    "symptoms": symptoms,
    "symptoms and an age": lambda r: np.c_[symptoms(r), r.integers(20, 90, 600)],
    "scales": lambda r: np.clip(np.round(r.normal(size=(600, 1)) + 0.5 * r.normal(size=(600, 8))) + 3, 1, 5),
}


@pytest.mark.parametrize("name", GENUINE)
def test_equal_rows_of_independent_patients_are_explained(name):
    for seed in range(5):
        rows = rows_equal(GENUINE[name](np.random.default_rng(seed)))
        assert rows.n_equal > 20
        assert rows.duplicates == []
        assert 0.5 < rows.n_pairs / rows.expected < 3


@pytest.mark.parametrize("kind", ["measurements", "answers and an age", "two measurements"])
def test_rows_entered_twice_are_duplicates(kind):
    rng = np.random.default_rng(1)
    answers = rng.integers(0, 2, (264, 15))
    X = {
        "measurements": rng.normal(size=(264, 4)).round(3),
        "answers and an age": np.c_[answers, rng.integers(20, 90, 264)],
        "two measurements": np.c_[rng.normal(size=(264, 2)).round(3), answers[:, :4]],
    }[kind]
    rows = rows_equal(np.r_[X, X[:36]])
    entered_twice = {(i, 264 + i) for i in range(36)}
    assert {tuple(duplicate) for duplicate in rows.duplicates} <= entered_twice
    assert len(rows.duplicates) >= 30


def test_a_table_without_equal_rows_has_none():
    assert rows_equal(np.random.default_rng(0).normal(size=(50, 3))) == EqualRows(0, 0, 0.0, [])


def test_missing_cells_count_as_a_value():
    X = np.random.default_rng(2).integers(0, 2, (200, 3)).astype(object)
    X[:50, 1] = ""
    assert rows_equal(X).duplicates == []


def typed(X: np.ndarray) -> pd.DataFrame:
    return tables.typed(pd.DataFrame(X, columns=[f"x{k}" for k in range(X.shape[1])]).astype(str))


def test_equal_rows_of_another_table_are_patients_where_values_repeat():
    rng = np.random.default_rng(3)
    X = rng.integers(0, 2, (500, 5))
    assert copied_pairs(typed(X), 300) == []
    measured = rng.normal(size=(500, 5)).round(2)
    measured[300:320] = measured[:20]
    assert copied_pairs(typed(measured), 300) == [(i, 300 + i) for i in range(20)]


def test_a_table_copied_whole_is_copies_whatever_its_values():
    rng = np.random.default_rng(4)
    X = rng.integers(0, 6, (200, 4))
    assert len(copied_pairs(typed(np.r_[X, X]), 200)) >= 200


def test_a_value_that_nobody_else_has_is_expected_nowhere():
    rng = np.random.default_rng(5)
    X = np.c_[rng.integers(0, 2, (300, 3)), rng.normal(size=300).round(6)]
    assert (expect_equal(typed(X)) == 0).all()
    assert (expect_equal(typed(X[:, :3])) > 10).all()


def test_a_total_score_makes_no_duplicates():
    items = np.random.default_rng(6).integers(0, 4, (500, 6))
    totals = np.c_[items, items.sum(axis=1), (items.sum(axis=1) / 18 * 100).round(1)]
    assert rows_equal(items).duplicates == rows_equal(totals).duplicates == []
