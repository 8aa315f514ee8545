"""Excel, Parquet and ARFF give the cells that a CSV would."""

import io
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from pipeline.core.errors import DataError
from pipeline.data.tabular.files import read_table
from pipeline.data.tabular.typed_files import read_parquet
from tests.helpers.tables import cells, read, to_excel


def test_parquet_and_arff_give_cells_as_a_csv_would():
    frame = pd.DataFrame({"n": [1, 2], "x": [0.5, None], "b": [True, False], "w": ["a", None]})
    frame["day"] = pd.to_datetime(["2021-01-31", "2021-02-01"])
    out = io.BytesIO()
    frame.to_parquet(out)
    expected = [
        ["n", "x", "b", "w", "day"],
        ["1", "0.5", "True", "a", "2021-01-31"],
        ["2", "", "False", "", "2021-02-01"],
    ]
    assert cells(out.getvalue()) == expected
    arff = "% made up\n@relation t\n@attribute n numeric\n@attribute 'my w' {a,b}\n@data\n1,a\n?,b\n2.5,?\n"
    assert cells(arff) == [["n", "my w"], ["1.0", "a"], ["", "b"], ["2.5", ""]]


def test_a_duration_of_parquet_is_a_number_of_seconds():
    out = io.BytesIO()
    pd.DataFrame({"wait": pd.to_timedelta([90, None, 1.5], "s")}).to_parquet(out)
    assert read_parquet(out.getvalue(), Path("t.parquet")).columns == [["90.0", "", "1.5"]]


def test_a_parquet_column_of_lists_is_refused_by_name():
    out = io.BytesIO()
    pd.DataFrame({"a": [1], "b": [[1, 2]]}).to_parquet(out)
    with pytest.raises(DataError, match="column 'b' holds list"):
        read(out.getvalue())


def test_further_sheets_are_named_and_not_read():
    table = read(to_excel([["a", "b"], [1, 2]], [["c"], [3]]))
    assert list(table.table) == ["a", "b"]
    assert "not read: 'more1'" in str(table.notices[0])
    assert table.row_name == "row"
    assert table.lines.tolist() == [2]


def test_a_formula_without_a_saved_value_is_refused():
    with pytest.raises(DataError, match="cell B2 holds a formula without a saved value"):
        read(to_excel([["a", "b"], [1, "=A2+1"]]))


def workbook_with_layout() -> openpyxl.Workbook:
    """Return a table with the merged cells A2:A3 and the hidden row 5, and a sheet of notes with others."""
    book = openpyxl.Workbook()
    for row in (["site", "age"], ["A", 1], [None, 2], ["B", 3], [None, 4]):
        book.active.append(row)
    book.active.merge_cells("A2:A3")
    book.active.row_dimensions[5].hidden = True
    notes = book.create_sheet("notes")
    notes.append(["about"])
    notes.merge_cells("B2:B5")
    notes.row_dimensions[2].hidden = True
    return book


def test_merged_cells_and_hidden_rows_of_the_read_sheet_count():
    out = io.BytesIO()
    workbook_with_layout().save(out)
    file = read_table(Path("t.xlsx"), out.getvalue())
    assert file.table["site"].tolist() == ["A", "A", "B", ""]
    assert file.table["age"].tolist() == ["1", "2", "3", "4"]
    merged, hidden = (next(n.text for n in file.notices if n.kind == kind) for kind in ("merged", "hidden"))
    assert "cells are merged (A2:A3)" in merged
    assert "1 of 4 rows are hidden in Excel, by a filter or by hand (the first is row 5)" in hidden
