"""Units, limits and other signs of numbers."""

import pytest

from pipeline.data.tabular.formats import ColumnFormat
from tests.helpers.tables import column, learnt, many


@pytest.mark.parametrize(
    ("cells", "plain", "unit"),
    [
        (["10.3 mg", "9 mg"], ["10.3", "9"], "mg"),
        (["90%", "91 %"], ["90", "91"], "%"),
        (["1 year", "2 years"], ["1", "2"], "years"),
        (["1,5 mg/dL", "2 mg/dl"], ["1.5", "2"], "mg/dL"),
        (["7,188 cells", "985 cells"], ["7188", "985"], "cells"),
        (["3T", "1.5T"], ["3", "1.5"], "T"),
    ],
)
def test_a_unit_behind_every_number_is_read_and_said(cells, plain, unit):
    learnt_columns = learnt(a=many(*cells))
    assert learnt_columns.table["a"].tolist()[:2] == plain
    assert learnt_columns.formats["a"].unit.casefold().rstrip("s") == unit.casefold().rstrip("s")
    assert [notice.kind for notice in learnt_columns.notices] == ["unit"]


def test_different_units_are_categories_and_said():
    learnt_columns = learnt(a=many("10 mg", "1 kg"))
    assert learnt_columns.formats["a"].kind == "choice"
    assert "different units (kg, mg)" in str(learnt_columns.notices[0])


@pytest.mark.parametrize("cells", [["1a", "2b", "3a"], ["T1", "N0"], ["12AB", "7CD"], ["1st", "2nd"]])
def test_codes_are_not_numbers_with_units(cells):
    assert learnt(a=many(*cells)).formats["a"].kind == "choice"


@pytest.mark.parametrize(
    ("cells", "plain"),
    [
        (["10·38", "9·2"], "10.38"), (["$1,234.50", "$2.00"], "1234.50"), (["€ 1.234,50", "€ 2,00"], "1234.50"),
        (["1 234,5", "2 345,6"], "1234.5"), (["–1,5", "2,5"], "-1.5"),
    ],
)  # fmt: skip
def test_numbers_in_other_signs_are_read(cells, plain):
    assert column(many(*cells))[0] == plain


def test_many_limits_are_read_as_such_and_reported():
    learnt_columns = learnt(a=many("<0,5", "1,5", "2,5", ">10"))
    assert learnt_columns.table["a"][:4].tolist() == ["0.5", "1.5", "2.5", "10"]
    assert "cells are limits or estimates, read as their number: '<0,5' is 0.5" in learnt_columns.notices[0].text
    assert ColumnFormat.from_json("number", learnt_columns.formats["a"].to_json()).canonical("<0,7") == "0.7"


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
