"""One row becomes what a model takes, with and without pandas."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import DataError
from pipeline.data import rows, tables
from pipeline.data.tabular.formats import Field

FIELDS = [
    Field("age", "number", 50.0, min=0.0, max=90.0),
    Field("site", "choice", "arm", choices=["arm", "leg"]),
]


def test_a_row_is_a_data_frame_of_one():
    row = rows.one_row({"site": "ARM ", "age": "61.5", "more": 1}, FIELDS)
    assert len(row) == 1
    expected = pd.DataFrame({"age": [61.5], "site": np.array(["arm"], object)})
    pd.testing.assert_frame_equal(row.to_frame(), expected)
    pd.testing.assert_frame_equal(tables.to_frame({"site": "arm", "age": 61.5}, FIELDS), expected)


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(DataError, match="two columns are called 'age'; expected one"):
        rows.one_row({"site": "arm", "age": 61.5, " age": 3}, FIELDS)


def test_a_missing_column_is_named_with_the_unknown_ones():
    with pytest.raises(DataError, match="missing columns: age; unknown columns: Age; expected: age, site"):
        rows.one_row({"Age": 1, "site": "arm"}, FIELDS)


def test_further_columns_and_new_categories_are_named():
    assert rows.unused({"site": "arm", "sex": "f", "age": "1"}, FIELDS) == "not used by the model: sex"
    assert rows.unused(["age", " site"], FIELDS) == ""
    assert rows.new_categories(rows.one_row({"site": "Mars", "age": 1}, FIELDS), FIELDS) == {"site": ["Mars"]}
    assert rows.new_categories(rows.one_row({"site": "", "age": 1}, FIELDS), FIELDS) == {}


def test_reading_a_row_needs_no_pandas():
    code = "import sys; from pipeline.data import rows; from pipeline.prediction import ood_tables;"
    code += "assert 'pandas' not in sys.modules"
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(root), "PATH": ""})


def test_a_missing_cell_of_a_constant_column_is_its_value():
    X = pd.DataFrame({"age": [20.0, 80], "kind": ["a", "a"], "same": [3.0, 3], "note": ["b", ""]})
    fields = tables.schema(X, {})
    row = rows.one_row({"age": 30, "kind": None, "same": "", "note": None}, fields)
    rows.check_values(row, fields)
    assert (row["kind"][0], row["note"][0]) == ("a", "")
    with pytest.raises(DataError, match="no value of 'age', which every training row had"):
        rows.check_values(rows.one_row({"age": "", "kind": "a", "same": 3, "note": ""}, fields), fields)
