"""Files of every format become the same cells, or are refused with a text that names file, line and remedy."""

from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.data.tabular.files import read_table
from tests.helpers.tables import read, to_excel

ROWS = [["age", "größe"], ["61", "1.5"], ["7", "x"]]


def as_text(separator: str = ",") -> str:
    return "".join(separator.join(row) + "\n" for row in ROWS)


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,x\na,b\n2,y\n", "line 3 repeats the header"),
        ("age,sex\n45,m\n46,f\n47,m\nage,sex\n45,m\n46,f\n47,m\n", "line 5 repeats the header"),
        ('"a,b"\n"1,x"\n"2,y"\n', "each line is one cell"),
        ("a^b\n1^x\n2^y\n", "'\\^' separates them"),
        ("a,b\n1,x\n2,y\n\nNotes\nage in years\n", "the first of 2 such lines at the end: if it is a footer"),
    ],
)
def test_odd_layouts_are_named_for_what_they_are(text, message):
    with pytest.raises(DataError, match=message):
        read(text.encode())


def test_empty_columns_without_a_name_are_left_out_and_said():
    table = read("a;b;\n0;1;\n2;3;\n")
    assert list(table.table) == ["a", "b"]
    assert "1 columns without a name" in str(table.notices[0])


def test_single_quotes_and_invisible_signs_are_no_part_of_names():
    file = read_table(Path("t.csv"), b"'age','note'\n'1','a, b'\n'2','c'\n")
    assert file.table.to_dict("list") == {"age": ["1", "2"], "note": ["a, b", "c"]}
    assert list(read_table(Path("t.csv"), "\u200bage,crp\ufeff\n1,2\n".encode()).table) == ["age", "crp"]
