"""Rows that are one patient's are paired, those of other patients are not."""

import numpy as np
import pandas as pd

from pipeline.data import tables
from pipeline.duplicates.rows.row_audit import NEAR, audit_rows

RNG = np.random.default_rng(0)


def typed(X: np.ndarray) -> pd.DataFrame:
    return tables.typed(pd.DataFrame(X, columns=[f"x{k}" for k in range(X.shape[1])]).astype(str))


def test_jittered_copies_are_near_equal_rows():
    X = RNG.normal(size=(200, 5))
    rows = audit_rows(typed(np.r_[X, X[:20] * 1.0002]), [""] * 220)
    assert {(pair.a, pair.b) for pair in rows.pairs} >= {(i, 200 + i) for i in range(20)}
    assert {(pair.kind, pair.copy) for pair in rows.pairs} == {(NEAR, False)}
    assert min(pair.score for pair in rows.pairs) > 0.9


def test_equal_numbers_in_another_spelling_are_equal_rows():
    X = RNG.normal(size=(100, 3)).round(3).astype(str)
    rows = audit_rows(typed(np.r_[X, [[f"{cell}00" for cell in row] for row in X[:10]]]), [""] * 110)
    assert [(pair.a, pair.b, pair.copy) for pair in rows.pairs] == [(i, 100 + i, True) for i in range(10)]


def test_visits_of_known_patients_are_no_clusters():
    patient = np.repeat(np.arange(60), 4)
    X = RNG.normal(size=(60, 4))[patient] + 0.05 * RNG.normal(size=(240, 4))
    assert audit_rows(typed(X), [""] * 240).clusters.detected
    known = audit_rows(typed(X), [f"p{number}" for number in patient])
    assert not known.clusters.detected
    assert known.pairs == []


def test_patients_whose_missing_values_are_zeros_are_not_one_patient():
    X = RNG.normal(50, 10, size=(400, 5))
    X[:30, 1:] = 0
    X[:30, 0] = RNG.normal(50, 3, 30)
    assert audit_rows(typed(X.round(2)), [""] * 400).pairs == []


def test_equal_rows_that_the_columns_explain_are_other_patients():
    rows = audit_rows(typed(RNG.integers(0, 2, size=(300, 4))), [""] * 300)
    assert rows.pairs == []
    assert len(rows.equal_pairs) > 200
    assert rows.equal.n_equal == 300
