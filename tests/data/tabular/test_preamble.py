"""Titles, comments and the upper row of a header of two are left out and reported; a header is never taken for one of them."""

from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.data.tabular.files import read_table

BODY = "".join(f"p{n},{n / 2},{'ill' if n % 3 else 'well'}\n" for n in range(20))
HERE = Path("t.csv")


@pytest.mark.parametrize(
    ("above", "n_lines"),
    [
        ("Study of 2021\n", 1),
        ("Study of 2021,,\n\n", 2),
        ("# exported; by anna, on Monday\n# at noon\n", 2),
        ("Study; of 2021\n# a comment\n", 2),
        (",Blood,\n", 1),
    ],
)
def test_rows_above_the_header_are_left_out_and_reported(above, n_lines):
    file = read_table(HERE, f"{above}name,crp,outcome\n{BODY}".encode())
    assert list(file.table) == ["name", "crp", "outcome"]
    assert (len(file.table), file.lines[0]) == (20, n_lines + 2)
    assert [notice.kind for notice in file.notices] == ["title"]


def test_titles_of_other_separators_are_no_header():
    file = read_table(HERE, b"Export, made on Monday, at noon\na;b;c\n" + b"1,5;2;x\n" * 9)
    assert list(file.table) == ["a", "b", "c"]


@pytest.mark.parametrize("header", ["#id,crp,outcome", "id,crp,outcome"])
def test_a_full_first_row_is_the_header(header):
    file = read_table(HERE, f"{header}\n{BODY}".encode())
    assert list(file.table) == header.split(",")
    assert file.notices == []


def test_words_that_are_values_make_no_header():
    rows = "name,,arm\n" + "anna,x,drug\nbert,y,drug\ncarl,x,none\ndora,y,none\nemil,x,drug\nfred,x,none\n" * 2
    with pytest.raises(DataError, match="column 2 has no name"):
        read_table(HERE, rows.encode())


def test_an_index_without_a_name_is_called_as_by_pandas():
    assert list(read_table(HERE, b",a,b\n0,1,x\n1,2,y\n2,5,x\n").table) == ["Unnamed: 0", "a", "b"]
    assert list(read_table(HERE, b'"a" "b"\n"r1" 1 x\n"r2" 2 y\n"r3" 5 x\n').table) == ["Unnamed: 0", "a", "b"]


def test_separators_at_the_end_of_rows_are_no_column():
    file = read_table(HERE, b"a,b\n1,x,\n2,y,\n3,x,\n")
    assert list(file.table) == ["a", "b"]
    assert "1 columns without a name" in str(file.notices[0])


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ("n = 20,,\n", "line 22 .'n = 20'.*looks like a footer"),
        ("Total,,\n", "line 22 .'Total'.*looks like a footer"),
        ("# end\n", "begins with #"),
    ],
)
def test_a_footer_is_named_with_its_line(rows, text):
    body = f"name,crp,outcome\n{BODY}{rows}" + ("x,1,ill\n" * 2 if "#" in rows else "")
    with pytest.raises(DataError, match=text):
        read_table(HERE, body.encode())
