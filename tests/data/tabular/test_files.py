"""Files of every format become the same cells, or are refused with a text that names file, line and remedy."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import DataError
from pipeline.data.tabular.files import read_table

NAMED = Path("t.csv")
ROWS = [["age", "größe"], ["61", "1.5"], ["7", "x"]]


def read(data: str | bytes, **options):
    """Return the table file in some bytes."""
    return read_table(NAMED, data.encode() if isinstance(data, str) else data, **options)


def cells(data: str | bytes, **options) -> list[list[str]]:
    """Return header and rows."""
    table = read(data, **options).table
    return [list(table), *table.to_numpy().tolist()]


def as_text(separator: str = ",") -> str:
    return "".join(separator.join(row) + "\n" for row in ROWS)


def to_excel(*sheets: list[list]) -> bytes:
    """Return a workbook with these sheets."""
    import openpyxl

    book = openpyxl.Workbook()
    for number, rows in enumerate(sheets):
        sheet = book.active if number == 0 else book.create_sheet(f"more{number}")
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (as_text().encode(), ""),
        (as_text().encode("utf-8-sig"), ""),
        (as_text().encode("utf-16"), "UTF-16"),
        (as_text().encode("utf-16-le"), "UTF-16-LE"),
        (as_text().encode("utf-16-be"), "UTF-16-BE"),
        (as_text().encode("cp1252"), "Windows-1252"),
        (as_text(";").encode(), ""),
        (as_text("\t").encode(), ""),
        (as_text("|").encode(), ""),
        (as_text("  ").encode(), ""),
        (f"sep=;\n{as_text(';')}".encode(), ""),
        (b"\xef\xbb\xbf" + f'"sep=|"\r\n{as_text("|")}'.encode(), ""),
        (to_excel([["age", "größe"], [61, 1.5], [7, "x"]]), ""),
        (to_excel([["age", "größe", None], [None, None], [61.0, 1.5], [7, " x "]]), ""),
    ],
)
def test_every_dialect_and_encoding_gives_the_same_cells(data, message):
    table = read(data)
    assert [list(table.table), *table.table.to_numpy().tolist()] == ROWS
    assert [message in str(notice) for notice in table.notices] == [True] * bool(message)


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


def test_lines_are_those_of_the_file():
    table = read('\na,b\n1,"one\ntwo"\n\n2,x\n')
    assert table.lines.tolist() == [3, 6]


QUOTES = "".join(f"{i / 10},{i},ok\n" for i in range(5, 20))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            f'crp,age,note\n0.1,1,ok\n0.2,2,"6 inch\n{QUOTES}',
            "line 3: a quote opens before '6 inch' and is never closed",
        ),
        (f'crp,age,note\n0.1,1,"a\nb"\n0.2,2,"6 inch\n{QUOTES}', "line 4: a quote opens"),
        (
            f'crp,age,note\n{QUOTES}0.2,2,"6 inch\n0.3,3,ok\n0.4,4,12"\n{QUOTES}',
            "line 17: a quote opens in column 'note' and",
        ),
        (f'crp,age,note\n{QUOTES}0.2,2,"6 inch\n0.3,3,"7 inch\n{QUOTES}', "line 17: a quote opens in column 'note'"),
        (f'crp,note,age\n{QUOTES.replace("ok", "x")}1,"6 inch,2\n1,"a, b",3\n', "line 17"),
        ('a,b\n"1,2\n3,4\n', "line 2: a quote opens before '1,2' and is never closed"),
        ('a,b\n1,"' + "x\n" * 100_000, "a quote that opens in line 2 is not closed within 131,072 characters"),
    ],
)
def test_an_unclosed_quote_is_an_error_with_its_line(data, text):
    with pytest.raises(DataError, match=rf"t.csv: .*{text}"):
        read(data)


def test_cells_of_several_lines_are_kept_whole():
    data = "age,note\n" + "".join(f'{i},"first, line\nsecond, line"\n' for i in range(20))
    assert read(data).table["note"].tolist() == ["first, line\nsecond, line"] * 20


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("a,b\n1,2\n1\n", "line 3 has 1 cells; the header has 2. It is the last line: if it is a footer"),
        ("a,b\n1,2,3\n4,5\n", "line 2 has 3 cells; the header has 2. Is a comma in an unquoted text"),
        ("größe,ö\n1,ä\n".encode() + b"\xff,3\n", "line 3 is not UTF-8"),
        (b"\xd0\xcf\x11\xe0rest", "is an old Excel workbook"),
        (b"\x1f\x8b\x08rest", "is a damaged gzip file"),
        (b"%PDF-1.4\n", "is a PDF"),
        (b"PK\x03\x04rest", "is a damaged or encrypted archive"),
        (b"PAR1restPAR1", "is not a whole Parquet file"),
        (b"a,b\n1,\0\n", "holds bytes that no text has"),
        ("@relation t\n@attribute n numeric\n@data\n1,2,3\n", "is not a dense ARFF file"),
        ("@relation t\n@attribute n numeric\n@data\n", "has no rows"),
        (to_excel([[]]), "has no rows"),
        (to_excel([["a", None], [1, 2]]), "column 2 has no name"),
    ],
)
def test_no_table_is_named_with_the_remedy(data, text):
    with pytest.raises(DataError, match=f"t.csv: {text}"):
        read(data)


def test_empty_columns_without_a_name_are_left_out_and_said():
    table = read("a;b;\n0;1;\n2;3;\n")
    assert list(table.table) == ["a", "b"]
    assert "1 columns without a name" in str(table.notices[0])


RNG = np.random.default_rng(0)
MEASURED = [
    f"{x:.2f},{age},{sex},{sick}\n"
    for x, age, sex, sick in zip(
        RNG.normal(size=60), RNG.integers(20, 80, 60), RNG.choice(["f", "m"], 60), RNG.integers(0, 2, 60), strict=True
    )
]


def test_a_missing_header_is_said_with_the_remedy():
    with pytest.raises(DataError, match=r"has no header: the first row .* looks like a sample.*--no-header"):
        read("".join(MEASURED))


@pytest.mark.parametrize("first", ["7,7,7\n", "1,0,2\n", "?,3,2\n", "0,5,5\n"])
def test_whole_numbers_in_the_first_row_are_a_sample(first):
    with pytest.raises(DataError, match="has no header"):
        read(first + "".join(f"{a},{b},{c}\n" for a, b, c in RNG.integers(0, 9, (40, 3))))


def test_words_that_are_values_below_are_a_sample():
    rows = "".join(f"{a},{b},{c}\n" for a, b, c in zip(*RNG.choice(["p", "x", "e"], (3, 40)), strict=True))
    with pytest.raises(DataError, match="has no header"):
        read(rows)


@pytest.mark.parametrize(
    "header",
    ["0,1,2", "1,2,3", "2019,2020,2021", "400.5,401,401.5", "x,1,2", "250.1,401.9,sick", "V1,V2,V3"],
)
def test_numbers_may_be_names(header):
    rows = "".join(",".join(map(str, row)) + "\n" for row in RNG.integers(0, 100, (40, 3)))
    assert list(read(f"{header}\n{rows}").table) == header.split(",")


def test_without_a_header_columns_are_numbered():
    table = read("".join(MEASURED), header="none")
    assert list(table.table) == ["column_1", "column_2", "column_3", "column_4"]
    assert len(table.table) == 60
    assert table.lines[0] == 1


@pytest.mark.parametrize(
    ("text", "encoding"), [("диагноз,возраст\nболен,1\n", "cp1251"), ("诊断,年龄\n良性,1\n恶性,2\n", "gbk")]
)
def test_encodings_that_cannot_be_told_are_refused(text, encoding):
    with pytest.raises(DataError, match="Cyrillic, Greek, Chinese"):
        read_table(Path("t.csv"), text.encode(encoding))


def test_single_quotes_and_invisible_signs_are_no_part_of_names():
    file = read_table(Path("t.csv"), b"'age','note'\n'1','a, b'\n'2','c'\n")
    assert file.table.to_dict("list") == {"age": ["1", "2"], "note": ["a, b", "c"]}
    assert list(read_table(Path("t.csv"), "\u200bage,crp\ufeff\n1,2\n".encode()).table) == ["age", "crp"]


def test_a_value_of_merged_rows_counts_for_all_of_them():
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["site", "age"], ["A", 1], [None, 2], ["B", 3], [None, 4]):
        book.active.append(row)
    book.active.merge_cells("A2:A3")
    out = io.BytesIO()
    book.save(out)
    file = read_table(Path("t.xlsx"), out.getvalue())
    assert file.table["site"].tolist() == ["A", "A", "B", ""]
    assert "cells are merged (A2:A3)" in file.notices[0].text
