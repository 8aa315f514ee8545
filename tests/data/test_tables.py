"""CSV files become tables, or are refused with a text that says what to do; a row is read as the model was trained."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import DataError
from pipeline.data import rows, tables
from pipeline.data.tabular.formats import ColumnFormat, Field

NAMED = Path("labels.csv")


def read(data: str | bytes) -> pd.DataFrame:
    """Return the table in some bytes."""
    return tables.read_csv(NAMED, data.encode() if isinstance(data, str) else data)


def cells(data: str | bytes) -> list[list[str]]:
    """Return header and rows."""
    table = read(data)
    return [list(table.columns), *table.to_numpy().tolist()]


PLAIN = [["a", "b"], ["1", "x"], ["2", "y"]]


def test_a_table_is_read_from_a_file_too(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,x\n2,y\n")
    assert tables.read_csv(tmp_path / "t.csv").to_numpy().tolist() == PLAIN[1:]


def test_where_the_semicolon_separates_the_comma_is_the_decimal_sign():
    table = read("size;age;code;site\n1,5;60;3,4;arm\n-2,25;NA;x;leg 1,5\n3;61;5,6;arm\n")
    assert table["size"].tolist() == ["1.5", "-2.25", "3"]
    assert table["age"].tolist() == ["60", "NA", "61"]
    assert table["code"].tolist() == ["3,4", "x", "5,6"]
    assert table["site"].tolist() == ["arm", "leg 1,5", "arm"]


@pytest.mark.parametrize("data", ['a,b\n"1,5",x\n', "a\tb\n1,5\tx\n", "a;b\n1.000,5;x\n", "a;b\n1,000,5;x\n"])
def test_elsewhere_a_comma_may_part_thousands_and_stays(data):
    assert "," in read(data)["a"][0]


def test_missing_words_stay_until_columns_are_typed():
    assert cells("a,b\nNA,\n")[1] == ["NA", ""]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("", "has no rows; expected a header line"),
        ("\n\n", "has no rows"),
        ("a,b\n", "has no rows"),
        ("a,b\n,\n", "has no rows"),
        ("a,b,a,b,c\n1,2,3,4,5\n", "the header names 'a', 'b' more than once; rename"),
        ("a,a \n1,2\n", "the header names 'a' more than once"),
        (",a\n0,1\n", "column 1 has no name in the header; name it or delete it"),
        ("a;b;\n0;1;2\n", "column 3 has no name"),
        ("a,b\n1,2\n1\n", "line 3 has 1 cells; the header has 2"),
        ("a,b\n1,2,3\n", "line 2 has 3 cells; the header has 2. Is a comma in an unquoted text"),
        ('a,b\n"1,2\n3,4\n', "line 2: a quote opens"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\xff", "is a damaged or encrypted archive"),
        ('a,b\n"x\ny",1\n' + "9" * 200_000 + ",1\n", "line 4 is not CSV"),
    ],
)
def test_no_table_is_refused_with_reason_and_remedy(data, text):
    with pytest.raises(DataError, match=f"^labels.csv: {text}"):
        read(data)


def test_a_missing_column_is_named_with_its_key():
    with pytest.raises(DataError, match=r"labels.csv: has no column 'dx' \(from tasks.skin.read.label\); it has: a, b"):
        tables.require_column(read("a,b\n1,2\n"), "dx", NAMED, "tasks.skin.read.label")


# ids


def test_only_rows_with_equal_cells_share_an_id():
    first, second, third = tables.row_ids(read("a,b\n1,2\n1,2\n12,\n"))
    assert first == second != third
    assert re.fullmatch("[0-9a-f]{16}", first)


def test_an_id_depends_on_where_a_value_stands():
    assert len(set(tables.row_ids(read("a,b\n1,2\n2,1\n12,x\n1,2x\n")))) == 4


# types


@pytest.mark.parametrize("word", ["", "NA", "na", "N/A", "NaN", "NULL", "None", "?"])
def test_missing_words_are_missing_in_numbers_and_categories(word):
    typed = tables.typed(pd.DataFrame({"number": ["1", word], "category": ["x", word]}))
    assert np.isnan(typed["number"][1])
    assert typed["category"].tolist() == ["x", ""]


@pytest.mark.parametrize("cell", ["1", "-1.5", "+2", "1e3", ".5", " 7 ", "１２"])
def test_what_reads_as_a_number_is_one(cell):
    assert tables.is_number(tables.typed(pd.DataFrame({"a": [cell, "0"]}))["a"])


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e400", "1,5", "12_3", "0x1F", "<5", "1 2", "true", "5 mm"])
def test_what_only_looks_like_a_number_makes_the_column_categorical(cell):
    typed = tables.typed(pd.DataFrame({"a": [cell, "0"]}))
    assert not tables.is_number(typed["a"])
    assert typed["a"].tolist() == [cell, "0"]


def test_an_all_missing_column_is_a_number_without_range():
    typed = tables.typed(pd.DataFrame({"a": ["", "NA"]}))
    assert tables.is_number(typed["a"])
    assert tables.schema(typed, {}) == [Field("a", "number", missing=True)]


# the schema of a form


def test_the_schema_gives_a_number_s_range_and_unit():
    typed = tables.typed(pd.DataFrame({"size": ["1.5", "NA", "2", "9"]}))
    assert tables.schema(typed, {"size": "mm", "other": "cm"}) == [
        Field("size", "number", 2.0, "mm", min=1.5, max=9.0, missing=True)
    ]


def test_few_whole_values_are_listed_with_a_default():
    (field,) = tables.schema(pd.DataFrame({"a": [0.0, 0.0, 1.0, 1.0]}), {})
    assert field.values == [0, 1]
    assert field.default in (0.0, 1.0)


def test_many_whole_values_are_a_range_not_a_list():
    (field,) = tables.schema(pd.DataFrame({"age": np.arange(11.0)}), {})
    assert field.values is None


def test_the_schema_lists_a_category_s_values():
    typed = tables.typed(pd.DataFrame({"site": ["leg", "arm", "", "", "", "leg"]}))
    assert tables.schema(typed, {}) == [
        Field("site", "choice", "leg", format=ColumnFormat("choice"), choices=["arm", "leg"], missing=True)
    ]


def test_a_value_that_every_training_row_had_is_needed():
    typed = tables.typed(pd.DataFrame({"age": ["50", "NA"], "size": ["1", "2"], "site": ["leg", "arm"]}))
    fields = tables.schema(typed, {})
    assert [field.is_required for field in fields] == [False, True, True]
    rows.check_values(rows.one_row({"age": None, "size": 1, "site": "Mars"}, fields), fields)
    with pytest.raises(DataError, match=r"no value of 'size', 'site', which every training row had"):
        rows.check_values(rows.one_row({"age": 50, "size": "NA", "site": ""}, fields), fields)
    of_older_version = [replace(field, missing=None) for field in fields]
    rows.check_values(rows.one_row({"age": 50, "size": "NA", "site": ""}, of_older_version), of_older_version)


FIELDS = [Field("age", "number"), Field("site", "choice")]


def test_a_row_has_the_schema_s_order_and_types():
    frame = tables.to_frame({" site ": "arm", "age": 61}, FIELDS)
    assert list(frame.columns) == ["age", "site"]
    assert frame["age"].dtype == np.float64
    assert frame.iloc[0].tolist() == [61.0, "arm"]


@pytest.mark.parametrize("value", [None, "", "NA", float("nan"), "?"])
def test_a_missing_value_is_left_to_the_model(value):
    frame = tables.to_frame({"age": value, "site": value}, FIELDS)
    assert np.isnan(frame["age"][0])
    assert frame["site"][0] == ""


def test_an_unknown_category_is_accepted():
    assert tables.to_frame({"age": "1", "site": "moon"}, FIELDS)["site"][0] == "moon"


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"age": "1"}, "missing columns: site; expected: age, site"),
        ({}, "missing columns: age, site; expected"),
        ({"AGE": "1", "site": "arm"}, "missing columns: age; unknown columns: AGE"),
    ],
)
def test_columns_that_are_missing_or_unknown_are_named(row, text):
    with pytest.raises(DataError, match=text):
        tables.to_frame(row, FIELDS)


def test_further_columns_are_ignored_and_named():
    row = {"site": "arm", "sex": "f", "age": "1"}
    assert list(tables.to_frame(row, FIELDS)) == ["age", "site"]


def test_prediction_reads_a_row_as_training_did():
    table = read("age,site\n61,arm\nNA,leg\n7, NULL \n")
    typed = tables.typed(table)
    for number, row in enumerate(table.to_dict("records")):
        pd.testing.assert_frame_equal(
            tables.to_frame(row, tables.schema(typed, {})), typed.iloc[[number]].reset_index(drop=True)
        )
