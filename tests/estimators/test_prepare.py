"""Preparation of features: imputation, categories, scaling."""

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import DataError
from pipeline.estimators import _prepare
from pipeline.estimators._prepare import Prepare
from tests.helpers.models import dumped, mixed, numbers


def test_preparation_learns_only_in_fit():
    table = pd.DataFrame({"age": [1.0, 3.0, np.nan, 8.0], "site": ["arm", "leg", "arm", ""]}).astype({"site": object})
    prepare = Prepare().fit(table)
    before = dumped(prepare)
    prepare.transform(table.assign(age=1e6, site="Mars"))
    assert dumped(prepare) == before


def test_a_missing_number_becomes_the_median():
    table = pd.DataFrame({"age": [1.0, 3.0, np.nan, 8.0]})
    prepare = Prepare().fit(table)
    missing, median = prepare.transform(pd.DataFrame({"age": [np.nan, 3.0]}))
    assert missing == median


def test_a_missing_category_is_one_and_an_unknown_none():
    table = pd.DataFrame({"site": ["arm", "leg", "arm", ""]}).astype(object)
    unknown, missing = Prepare().fit(table).transform(pd.DataFrame({"site": ["Mars", ""]}).astype(object))
    assert unknown.tolist() == [0, 0, 0]
    assert sorted(missing.tolist()) == [0, 0, 1]


def test_preparation_standardises_and_keeps_its_input():
    X, _ = numbers()
    copy = X.copy()
    prepared = Prepare().fit(X).transform(X)
    np.testing.assert_allclose(prepared.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(prepared.std(axis=0), 1, atol=1e-5)
    np.testing.assert_array_equal(X, copy)


def test_a_constant_feature_of_an_array_stays_finite():
    X = np.column_stack([np.arange(10.0), np.zeros(10)]).astype(np.float32)
    assert np.isfinite(Prepare().fit(X).transform(X)).all()


@pytest.mark.parametrize(
    "columns", [["age", "size"], ["site"], ["age", "size", "site", "empty", "constant"], ["empty"]]
)
def test_a_table_is_prepared_to_scikit_learns_bits_and_layout(columns):
    table = mixed(80)[0][columns]
    fitted = _prepare.of_table(table)
    expected, prepared = fitted.transform(table), _prepare.transform_table(fitted, table)
    assert (prepared.tobytes("A"), prepared.strides, prepared.dtype) == (
        expected.tobytes("A"),
        expected.strides,
        expected.dtype,
    )


def test_a_number_that_cannot_be_squared_is_named():
    table = pd.DataFrame({"age": [1.0, 3.0, 8.0], "lab": [1.0, np.nan, -1.7e305]})
    with pytest.raises(DataError, match=r"column 'lab': a number of size 1.7e\+305 cannot be standardised"):
        Prepare().fit(table)


def test_a_table_in_which_nothing_varies_is_refused():
    with pytest.raises(DataError, match="no column of 'age', 'lab' varies"):
        Prepare().fit(pd.DataFrame({"age": [3.0, 3.0], "lab": [np.nan, np.nan]}))
