"""A value to predict is read as its column was written in training."""

import pandas as pd
import pytest

from pipeline.core.errors import DataError
from pipeline.data import rows, tables
from pipeline.data.tabular.formats import ColumnFormat, Field
from pipeline.data.tabular.values import is_boolean, match, to_cell

FIELDS = [Field("age", "number"), Field("site", "choice")]


def test_a_decimal_comma_is_told_to_be_one():
    with pytest.raises(DataError, match=r"column 'age': found '1,5'; expected a number, with a decimal point$"):
        tables.to_frame({"age": "1,5", "site": "arm"}, FIELDS)


@pytest.mark.parametrize("value", ["old", "inf", "1,5", float("inf"), True])
def test_a_text_where_a_number_is_expected_is_named(value):
    with pytest.raises(DataError, match=f"column 'age': found '{value}'; expected a number"):
        tables.to_frame({"age": value, "site": "arm"}, FIELDS)


def test_a_row_is_read_by_the_format_that_training_learnt():
    columns = pd.DataFrame({"dose": [1.5, 2.0], "wbc": [7188.0, 985.0]})
    formats = {"dose": ColumnFormat("number", ",", unit="mg"), "wbc": ColumnFormat("number", ".", ",")}
    fields = tables.schema(columns, {}, formats)
    assert [field.unit for field in fields if field.unit] == ["mg"]
    frame = tables.to_frame({"dose": "1,75 mg", "wbc": "7,188"}, fields)
    assert frame.iloc[0].tolist() == [1.75, 7188]
    assert tables.to_frame({"dose": 1.75, "wbc": 7188}, fields).equals(frame)
    with pytest.raises(DataError, match=r"column 'dose': found '1.750'; expected a number with a decimal comma"):
        tables.to_frame({"dose": "1.750", "wbc": 1}, fields)
    with pytest.raises(DataError, match="column 'dose': found '2 g'; expected a number"):
        tables.to_frame({"dose": "2 g", "wbc": 1}, fields)


CATEGORIES = [
    Field("sex", "choice", choices=["Female", "Male"]),
    Field("smoker", "choice", choices=["False", "True"]),
    Field("stage", "choice", choices=["1", "2", "2a"]),
    Field("fever", "number", values=[0, 1]),
]


def test_a_category_is_matched_without_case_blanks_and_trailing_zero():
    row = {"sex": "male", "smoker": True, "stage": 2.0, "fever": True}
    assert tables.to_frame(row, CATEGORIES).iloc[0].tolist() == ["Male", "True", "2", 1.0]
    row = {"sex": "FEMALE ", "smoker": "false", "stage": "2A", "fever": "false"}
    frame = tables.to_frame(row, CATEGORIES)
    assert frame.iloc[0].tolist() == ["Female", "False", "2a", 0.0]
    assert rows.new_categories(frame, CATEGORIES) == {}


@pytest.mark.parametrize("value", [0.5, "0.5", 1e-9])
def test_half_a_yes_is_refused(value):
    with pytest.raises(
        DataError, match=rf"column 'fever': found '{value}'; expected 0 or 1, the only values in training"
    ):
        tables.to_frame({"sex": "", "smoker": "", "stage": "", "fever": value}, CATEGORIES)


def test_a_category_that_training_never_saw_is_named():
    frame = tables.to_frame({"sex": "X", "smoker": "", "stage": "3", "fever": 0}, CATEGORIES)
    assert rows.new_categories(frame, CATEGORIES) == {"sex": ["X"], "stage": ["3"]}


def test_json_true_is_refused_in_other_columns():
    with pytest.raises(DataError, match="column 'sex': found true; expected one of Female, Male"):
        tables.to_frame({"sex": True, "smoker": "", "stage": "", "fever": 0}, CATEGORIES)


def test_an_uploaded_cell_is_written_as_in_columns_csv():
    number, plain = (Field("a", "number", format=ColumnFormat(thousands=",", unit="mg")), Field("a", "number"))
    assert [to_cell(value, number) for value in ("7,188 mg", 7188, 1.5, "NA", None)] == [
        "7188",
        "7188",
        "1.5",
        "NA",
        "",
    ]
    assert [to_cell(value, plain) for value in ("1.50", 2, 2.0, "")] == ["1.50", "2", "2.0", ""]
    assert [to_cell(value, CATEGORIES[0]) for value in ("male", "NA", "X")] == ["Male", "NA", "X"]


@pytest.mark.parametrize(
    ("cell", "choices", "result"),
    [
        ("male", ["Female", "Male"], "Male"),
        ("M", ["f", "m"], "m"),
        ("TRUE", ["False", "True"], "True"),
        ("2.0", ["1", "2", "2a"], "2"),
        ("2", ["1.0", "2.0"], "2.0"),
        ("never  Smoked", ["never smoked", "smokes"], "never smoked"),
        ("A", ["a", "A"], "A"),
        ("ÄRZTE", ["ärzte"], "ärzte"),
        ("X", ["Female", "Male"], "X"),
        ("Male", ["M", "F"], "Male"),
        ("1.50", ["1.5"], "1.50"),
    ],
)
def test_only_exact_equivalents_are_matched(cell, choices, result):
    assert match(cell, choices) == result


def test_a_spelling_that_fits_two_categories_fits_none():
    assert match("aA", ["aa", "AA"]) == "aA"


def test_true_and_false_make_a_boolean_column():
    assert is_boolean(["FALSE", "TRUE"])
    assert not is_boolean(["no", "yes"])
    assert not is_boolean([])
