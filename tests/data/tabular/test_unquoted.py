"""The fast way of reading gives what the parser of signs gives, or declines."""

import numpy as np
import pytest

from pipeline.data.tabular.unquoted import is_tight, read_unquoted


@pytest.mark.parametrize(
    "text", ["a,b\n1,x\n2,y", "a,b\r\n1,x\r\n2,y\r\n", "skipped\na,b\n1,x\n2,y\n", "a , b\n1, x\n 2,y\n"]
)
def test_cells_are_stripped_and_have_their_lines(text):
    n_skipped = int(text.startswith("skipped"))
    cells = read_unquoted(text.encode(), "utf-8", ",", n_skipped, is_tight(text.encode(), ","))
    assert (cells.header, cells.columns) == (["a", "b"], [["1", "2"], ["x", "y"]])
    assert np.array_equal(cells.lines, [2 + n_skipped, 3 + n_skipped])


def test_equal_cells_are_one_object():
    cells = read_unquoted(b"a,b\n" + b"alpha,1\n" * 100, "utf-8", ",", 0, True)
    assert len({id(cell) for cell in cells.columns[0]}) == 1


@pytest.mark.parametrize(
    "text", ['a,b\n"1",2\n', "a,b\n1\n2,3,4\n", "a,b\n\n1,2\n", "a,b\r1,2\r", "a,b\n,\n1,2\n", "a,b", "\na,b\n1,2"]
)
def test_other_texts_are_left_to_the_parser(text):
    assert read_unquoted(text.encode(), "utf-8", ",", 0, True) is None


@pytest.mark.parametrize(("text", "tight"), [("a,b\n1,x y\n", True), ("a, b\n1,x\n", False), ("a,b\n1,x\t\n", False)])
def test_blanks_at_the_edge_of_cells_are_noticed(text, tight):
    assert is_tight(text.encode(), ",") is tight
