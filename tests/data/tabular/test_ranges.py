"""Ranges are read as their middles."""

import pytest

from tests.helpers.tables import learnt, many


@pytest.mark.parametrize(
    ("cells", "plain"),
    [
        (["[50-60)", "[60-70)"], ["55", "65"]),
        (["50-59", "60-69", "70+", "<50"], ["54.5", "64.5", "74.5", "45.5"]),
        (["(0, 10]", "(10, 20]"], ["5", "15"]),
        (["18 to 30", "31 to 50", "over 50"], ["24", "40.5", "59.5"]),
    ],
)
def test_ranges_are_read_as_their_middles_and_said(cells, plain):
    learnt_columns = learnt(a=many(*cells))
    assert learnt_columns.table["a"].tolist()[: len(plain)] == plain
    assert [notice.kind for notice in learnt_columns.notices] == ["range"]


def test_overlapping_pairs_are_no_ranges():
    assert learnt(a=many("3-4", "3-5", "1-9")).formats["a"].kind == "choice"


def test_ranges_of_years_are_read_in_other_languages():
    learnt_columns = learnt(a=many("<18 Jahre", "18-39 Jahre", "40-59 Jahre", "60+ Jahre"))
    assert learnt_columns.table["a"][:4].tolist() == ["9", "28.5", "49.5", "69.5"]
