"""A column of visits says that a patient has several samples."""

import pandas as pd
import pytest

from pipeline.data.columns.visit_names import find_visits


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("visit", ["1", "2", "3"]),
        ("Visit No.", ["1.0", "2.0"]),
        ("time_point", ["BL", "W4"]),
        ("Session", ["ses-1", "ses-2"]),
    ],
)
def test_a_column_of_visits_is_recognised(name, cells):
    assert find_visits(pd.DataFrame({"age": list("abcdefghijkl"), name: cells * (12 // len(cells))})) == name


@pytest.mark.parametrize(
    ("name", "cells"),
    [("visit", ["1"] * 12), ("visit", list("abcdefghijkl")), ("visitors", ["1", "2"] * 6), ("month", ["1", "2"] * 6)],
)
def test_other_columns_are_no_visits(name, cells):
    assert find_visits(pd.DataFrame({name: cells})) is None
