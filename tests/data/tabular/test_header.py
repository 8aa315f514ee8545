"""A first row that is no header is noticed."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.core.errors import DataError
from pipeline.data.tabular.files import read_table
from tests.helpers.tables import read

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
    "header", ["0,1,2", "1,2,3", "2019,2020,2021", "400.5,401,401.5", "x,1,2", "250.1,401.9,sick", "V1,V2,V3"]
)
def test_numbers_may_be_names(header):
    rows = "".join(",".join(map(str, row)) + "\n" for row in RNG.integers(0, 100, (40, 3)))
    assert list(read(f"{header}\n{rows}").table) == header.split(",")


def test_without_a_header_columns_are_numbered():
    table = read("".join(MEASURED), header="none")
    assert list(table.table) == ["column_1", "column_2", "column_3", "column_4"]
    assert len(table.table) == 60
    assert table.lines[0] == 1


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
