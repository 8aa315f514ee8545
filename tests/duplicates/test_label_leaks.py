"""Columns that are the label by another name are found, measurements that separate well are kept."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data import tables
from pipeline.duplicates.label_leaks import LabelLeak, find_joint_leaks, find_label_leaks

RNG = np.random.default_rng(0)
N = 900
LABEL = RNG.integers(0, 2, N)
STAGE = RNG.integers(0, 3, N)


def leaks(column: object, label: np.ndarray = LABEL, groups: np.ndarray | None = None) -> list[LabelLeak]:
    table = pd.DataFrame({"column": list(column), "age": RNG.integers(20, 90, N)}).astype(str)
    return find_label_leaks(tables.typed(table), label.astype(str), np.arange(N) if groups is None else groups)


CODES = {
    "another name": np.array(["benign", "malignant"])[LABEL],
    "a treatment": np.where(LABEL == 1, RNG.integers(5, 8, N), RNG.integers(1, 4, N)),
    "wrong in two rows": np.where(np.arange(N) < 2, 1 - LABEL, LABEL),
    "many words": [f"{('no finding', 'positive')[label]} {n % 40}" for n, label in enumerate(LABEL)],
    "missing in some": np.where(np.arange(N) < 20, "", np.array(["a", "b"])[LABEL]),
}


@pytest.mark.parametrize("name", CODES)
def test_a_code_that_says_the_label_is_found(name):
    result = leaks(CODES[name])
    assert [(figure.column, figure.is_left_out) for figure in result] == [("column", True)]


def test_one_of_several_one_hot_columns_is_found():
    assert [leak.column for leak in leaks((STAGE == 1).astype(int), STAGE)] == ["column"]


def test_a_score_of_many_points_that_separates_is_reported():
    (result,) = leaks(np.round(RNG.normal(4, 1, N)) + 12 * LABEL)
    assert result.roc_auc == pytest.approx(1)


@pytest.mark.parametrize(("second", "pairs"), [(STAGE % 2 ^ LABEL, [("a", "b")]), (RNG.integers(0, 3, N), [])])
def test_two_codes_that_are_the_label_together_are_reported(second, pairs):
    typed = tables.typed(pd.DataFrame({"a": STAGE % 2, "b": second, "age": RNG.normal(size=N)}).astype(str))
    assert find_label_leaks(typed, LABEL.astype(str), np.arange(N)) == []
    assert find_joint_leaks(typed, LABEL.astype(str), np.arange(N)) == pairs


def test_a_measurement_that_separates_is_reported_and_kept():
    (result,) = leaks(10 * LABEL + RNG.normal(size=N))
    assert not result.is_code
    assert result.low > 0.98 or result.roc_auc > 0.99


@pytest.mark.parametrize("strength", [0, 1, 2])
def test_a_good_predictor_is_no_leak(strength):
    assert leaks(np.round(strength * LABEL + RNG.normal(size=N))) == []


def test_what_is_learnt_of_each_patient_alone_is_no_leak():
    patient = np.arange(N) // 10
    label = RNG.integers(0, 2, N // 10)[patient]
    assert leaks([f"room {number}" for number in patient], label, patient) == []


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "iris"])
def test_tables_of_scikit_learn_lose_no_column(name):
    from sklearn import datasets

    data = getattr(datasets, f"load_{name}")()
    table = tables.typed(pd.DataFrame(data.data, columns=data.feature_names).astype(str))
    result = find_label_leaks(table, data.target.astype(str), np.arange(len(table)))
    assert [figure for figure in result if figure.is_left_out] == []


def test_columns_that_are_the_label_together_are_found():
    table = pd.DataFrame({"age": RNG.integers(20, 90, N), "normal": STAGE == 0, "benign": STAGE == 1}).astype(int)
    label = (STAGE == 2).astype(int)
    result = find_label_leaks(table.astype(float), label.astype(str), np.arange(N))
    assert [figure.column for figure in result] == ["normal", "benign"]
    table.loc[:8, ["normal", "benign"]] = 0
    assert find_label_leaks(table.astype(float), label.astype(str), np.arange(N)) == []


def test_an_empty_column_says_nothing():
    assert leaks([""] * N) == []
    assert leaks(["x"] * N) == []


def test_a_copy_in_few_rows_is_reported_and_kept():
    label = np.arange(120) % 2
    copies = {"code": np.where(np.arange(120) < 1, 1 - label, label), "marker": 10 * label + RNG.normal(size=120)}
    result = find_label_leaks(pd.DataFrame(copies).astype(float), label.astype(str), np.arange(120))
    assert {figure.column for figure in result} == {"code", "marker"}
    assert not any(figure.is_left_out for figure in result)
    assert "too few rows" in result[0].why_kept


def test_a_measurement_that_only_the_ill_have_says_the_label_by_its_gaps():
    dose = np.where(LABEL == 1, RNG.normal(50, 5, N).round(1).astype(str), "")
    (leak,) = leaks(dose)
    assert leak.is_left_out
    assert leak.as_no_feature().reason == "leaks the label: whether it is filled says it"
    assert leaks(np.where(RNG.random(N) < 0.5, RNG.normal(size=N).round(3).astype(str), "")) == []


def test_a_stage_that_only_the_ill_have_says_the_label():
    stage = np.where(LABEL == 1, STAGE.astype(str), "")
    table = pd.DataFrame({"stage": stage, "asked": np.where(RNG.random(N) < 0.3, "", STAGE.astype(str))})
    assert [leak.column for leak in find_label_leaks(table, LABEL.astype(str), np.arange(N)) if leak.is_left_out] == [
        "stage"
    ]
