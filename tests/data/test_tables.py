"""CSV files become tables, or are refused with a text that says what to do; a row is read as the model was trained."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import DataError
from pipeline.data import tables
from pipeline.data.tabular.field import Field
from pipeline.data.tabular.files import read_table
from pipeline.data.tabular.formats import ColumnFormat
from pipeline.data.tabular.values import rows_of, to_cell

NAMED = Path("labels.csv")


def read(data: str | bytes) -> pd.DataFrame:
    """Return the table in some bytes."""
    return tables.read_csv(NAMED, data.encode() if isinstance(data, str) else data)


def cells(data: str | bytes) -> list[list[str]]:
    """Return header and rows."""
    table = read(data)
    return [list(table.columns), *table.to_numpy().tolist()]


PLAIN = [["a", "b"], ["1", "x"], ["2", "y"]]


@pytest.mark.parametrize(
    "data",
    [
        "a,b\n1,x\n2,y\n",
        "a,b\n1,x\n2,y",
        "a,b\r\n1,x\r\n2,y\r\n",
        "a,b\r1,x\r2,y\r",
        b"\xef\xbb\xbfa,b\n1,x\n2,y\n",
        "a;b\n1;x\n2;y\n",
        "a\tb\n1\tx\n2\ty\n",
        "a|b\n1|x\n2|y\n",
        " a , b \n 1 ,x \n2, y\n",
        "\n\na;b\n\n1;x\n;\n2;y\n\n",
        '"a","b"\n"1","x"\n"2","y"\n',
    ],
    ids=[
        "plain",
        "no last line end",
        "Windows",
        "old Mac",
        "BOM",
        "semicolon",
        "tab",
        "bar",
        "spaces",
        "blank",
        "quoted",
    ],
)
def test_a_table_reads_alike_however_a_program_wrote_it(data):
    assert cells(data) == PLAIN


def test_a_table_is_read_from_a_file_too(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,x\n2,y\n")
    assert tables.read_csv(tmp_path / "t.csv").to_numpy().tolist() == PLAIN[1:]


def test_a_separator_in_a_quoted_name_does_not_count():
    assert cells('"Age, in years";"Sex"\n60;f\n') == [["Age, in years", "Sex"], ["60", "f"]]


def test_a_separator_in_a_quoted_cell_does_not_part_it():
    assert cells('a,b\n"1,5","say ""x"""\n')[1] == ["1,5", 'say "x"']


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_quoted_line_end_belongs_to_its_cell(line_end):
    assert cells(f'a,b\n"one{line_end}two",x\n')[1] == ["one\ntwo", "x"]


def test_where_the_semicolon_separates_the_comma_is_the_decimal_sign():
    table = read("size;age;code;site\n1,5;60;3,4;arm\n-2,25;NA;x;leg 1,5\n3;61;5,6;arm\n")
    assert table["size"].tolist() == ["1.5", "-2.25", "3"]
    assert table["age"].tolist() == ["60", "NA", "61"]
    assert table["code"].tolist() == ["3,4", "x", "5,6"]
    assert table["site"].tolist() == ["arm", "leg 1,5", "arm"]


@pytest.mark.parametrize("data", ['a,b\n"1,5",x\n', "a\tb\n1,5\tx\n", "a;b\n1.000,5;x\n", "a;b\n1,000,5;x\n"])
def test_elsewhere_a_comma_may_part_thousands_and_stays(data):
    assert "," in read(data)["a"][0]


def test_headers_and_cells_in_any_script_are_kept():
    assert cells("年齢,אבחנה\n六十,שפיר 😀\n") == [["年齢", "אבחנה"], ["六十", "שפיר 😀"]]


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
    assert tables.schema(typed, {}) == [Field("a", "number")]


# the schema of a form


def test_the_schema_gives_a_number_s_range_and_unit():
    typed = tables.typed(pd.DataFrame({"size": ["1.5", "NA", "2", "9"]}))
    assert tables.schema(typed, {"size": "mm", "other": "cm"}) == [Field("size", "number", 2.0, "mm", min=1.5, max=9.0)]


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
        Field("site", "choice", "leg", format=ColumnFormat("choice"), choices=["arm", "leg"])
    ]


# one row to predict


def test_a_decimal_comma_is_told_to_be_one():
    with pytest.raises(DataError, match=r"column 'age': found '1,5'; expected a number, with a decimal point$"):
        tables.to_frame({"age": "1,5", "site": "arm"}, FIELDS)


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


@pytest.mark.parametrize("value", ["old", "inf", "1,5", float("inf"), True])
def test_a_text_where_a_number_is_expected_is_named(value):
    with pytest.raises(DataError, match=f"column 'age': found '{value}'; expected a number"):
        tables.to_frame({"age": value, "site": "arm"}, FIELDS)


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
    assert tables.unused(row, FIELDS) == "not used by the model: sex"
    assert tables.unused(["age", " site"], FIELDS) == ""


def test_prediction_reads_a_row_as_training_did():
    table = read("age,site\n61,arm\nNA,leg\n7, NULL \n")
    typed = tables.typed(table)
    for number, row in enumerate(table.to_dict("records")):
        pd.testing.assert_frame_equal(
            tables.to_frame(row, tables.schema(typed, {})), typed.iloc[[number]].reset_index(drop=True)
        )


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
    assert tables.new_categories(frame, CATEGORIES) == {}


def test_a_category_that_training_never_saw_is_named():
    frame = tables.to_frame({"sex": "X", "smoker": "", "stage": "3", "fever": 0}, CATEGORIES)
    assert tables.new_categories(frame, CATEGORIES) == {"sex": ["X"], "stage": ["3"]}


def test_json_true_is_refused_in_other_columns():
    with pytest.raises(DataError, match="column 'sex': found true; expected one of Female, Male"):
        tables.to_frame({"sex": True, "smoker": "", "stage": "", "fever": 0}, CATEGORIES)


def read_to_predict(text: str, fields: list[dict]) -> list[dict]:
    return rows_of(read_table(NAMED, text.encode()), fields)


@pytest.mark.parametrize(
    ("text", "number"),
    [("a;b\n1,5;x\n", 1.5), ("a,b\n1.500,x\n", 1.5), ("a;b\n1.234;x\n1,5;y\n", None), ('a,b\n"1,5",x\n', 1.5)],
)
def test_a_file_to_predict_may_be_written_otherwise_than_training(text, number):
    fields = [Field("a", "number", format=ColumnFormat(decimal=",")), Field("b", "choice")]
    row = read_to_predict(text, fields)[0]
    if number is None:
        with pytest.raises(DataError, match="expected a number with a decimal comma"):
            tables.to_frame(row, fields)
    else:
        assert tables.to_frame(row, fields)["a"][0] == number


def test_thousands_points_in_a_predicted_file_are_seen():
    fields = [Field(name, "number") for name in "ab"]
    rows = read_to_predict("a;b\n1.234;1,5\n2.345;2,25\n", fields)
    assert [tables.to_frame(row, fields).iloc[0].tolist() for row in rows] == [[1234, 1.5], [2345, 2.25]]


def test_an_uploaded_cell_is_written_as_in_columns_csv():
    number, plain = (
        Field("a", "number", format=ColumnFormat(thousands=",", unit="mg")),
        Field("a", "number"),
    )
    assert [to_cell(value, number) for value in ("7,188 mg", 7188, 1.5, "NA", None)] == [
        "7188",
        "7188",
        "1.5",
        "NA",
        "",
    ]
    assert [to_cell(value, plain) for value in ("1.50", 2, 2.0, "")] == ["1.50", "2", "2.0", ""]
    assert [to_cell(value, CATEGORIES[0]) for value in ("male", "NA", "X")] == ["Male", "NA", "X"]
