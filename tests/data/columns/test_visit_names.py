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
        ("redcap_event_name", ["baseline_arm_1", "month_3_arm_1"]),
        ("wave", ["1", "1", "1", "2", "2", "3"]),
    ],
)
def test_a_column_of_visits_is_recognised(name, cells):
    assert find_visits(pd.DataFrame({"age": list("abcdefghijkl"), name: cells * (12 // len(cells))})) == name


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("visit", ["1"] * 12),
        ("visit", list("abcdefghijkl")),
        ("visitors", ["1", "2"] * 6),
        ("month", ["1", "2"] * 6),
        ("session", ["morning", "afternoon"] * 6),
        ("visit", ["emergency", "scheduled"] * 6),
        ("visits", ["0", "0", "1", "2"] * 3),
        ("followup", ["6", "8", "12", "12"] * 3),
        ("wave", ["1", "2", "2", "2"] * 3),
    ],
)
def test_other_columns_are_no_visits(name, cells):
    assert find_visits(pd.DataFrame({name: cells})) is None
