"""The fast way of reading gives what the parser of signs gives, or declines."""

import numpy as np
import pytest

from pipeline.data.tabular.regular import is_tight, read_regular


def cells_of(text: str, encoding: str = "utf-8", n_skipped: int = 0) -> tuple[list[str], list[list[str]]]:
    cells = read_regular(text.encode(encoding), encoding, ",", n_skipped)
    return list(cells.header), [list(column) for column in cells.columns]


@pytest.mark.parametrize(
    "text", ["a,b\n1,x\n2,y", "a,b\r\n1,x\r\n2,y\r\n", "skipped\na,b\n1,x\n2,y\n", "a , b\n1, x\n 2,y\n"]
)
def test_cells_are_stripped_and_have_their_lines(text):
    n_skipped = int(text.startswith("skipped"))
    assert cells_of(text, n_skipped=n_skipped) == (["a", "b"], [["1", "2"], ["x", "y"]])
    lines = read_regular(text.encode(), "utf-8", ",", n_skipped).lines
    assert np.array_equal(lines, [2 + n_skipped, 3 + n_skipped])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_quoted_cells_are_read_in_any_encoding(encoding):
    text = '"a","b"\n"1, 2","größe"\n"say ""x""",""\n'
    assert cells_of(text, encoding) == (["a", "b"], [["1, 2", 'say "x"'], ["größe", ""]])


def test_equal_cells_are_one_object():
    cells = read_regular(b"a,b\n" + b"alpha,1\n" * 100, "utf-8", ",", 0)
    assert len({id(cell) for cell in cells.columns[0]}) == 1


@pytest.mark.parametrize(
    "text",
    [
        *('a,b\n"1",2"\n', 'a,b\n"1"x,2\n', 'a,b\n"1\n3",2\n', 'a,b\n1,5"\n3,"x\n', 'a,b\n"1,2\n3,4\n'),
        *("a,b\n1\n2,3,4\n", "a,b\n\n1,2\n", "a,b\r1,2\r", "a,b\n,\n1,2\n", "a,b", "\na,b\n1,2"),
    ],
)
def test_other_texts_are_left_to_the_parser(text):
    assert read_regular(text.encode(), "utf-8", ",", 0) is None


@pytest.mark.parametrize(
    ("text", "tight"),
    [
        ("a,b\n1,x y\n", True),
        ("a, b\n1,x\n", False),
        ("a,b\n1,x\t\n", False),
        ("a,é\n", True),
        ("a,b\n1\u00a0,x", False),
    ],
)
def test_blanks_at_the_edge_of_cells_are_noticed(text, tight):
    assert is_tight(text.encode(), ",") is tight
