"""How cells are written is told over the whole column, said, and applied alike to each row to predict."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import DataError
from pipeline.data.tabular.formats import ColumnFormat, Source
from pipeline.data.tabular.learning import learn


def learnt(separator: str = ",", **columns: list[str]):
    """Return what is learnt of columns that stand in a file from line 2 on."""
    table = pd.DataFrame(columns, dtype=object)
    return learn(table, Source(Path("t.csv"), np.arange(2, len(table) + 2), "line", separator))


def column(cells: list[str], separator: str = ",", **others: list[str]) -> list[str]:
    """Return the cells of a column of numbers as they are read."""
    learnt_columns = learnt(separator, a=cells, **others)
    assert learnt_columns.formats["a"].kind == "number"
    return learnt_columns.table["a"].tolist()


def many(*cells: str) -> list[str]:
    """Return a column of 100 cells or more."""
    return list(cells) * (100 // len(cells) + 1)


def test_plain_numbers_and_words_stay_without_notice():
    cells = {"n": ["1", "-1.50", "NA", "1e3"], "w": ["x", "", "1", "y"], "m": ["", "?", ".", "#N/A"]}
    learnt_columns = learnt(**cells)
    assert learnt_columns.table.to_dict("list") == cells
    assert learnt_columns.notices == []
    assert [form.kind for form in learnt_columns.formats.values()] == ["number", "choice", "number"]


@pytest.mark.parametrize(
    ("cells", "separator", "plain"),
    [
        (["7,188", "6,801"], ",", ["7188", "6801"]),
        (["7,188", "6,801"], ";", ["7.188", "6.801"]),
        (["7,188", "985"], "\t", ["7188", "985"]),
        (["1,33", "7,188"], "\t", ["1.33", "7.188"]),
        (["0,125", "7,188"], ",", ["0.125", "7.188"]),
        (["1,234.5", "7,188", "12"], "\t", ["1234.5", "7188", "12"]),
        (["1.234,5", "7.188", "-12"], ",", ["1234.5", "7188", "-12"]),
        (["1.234.567", "7.188"], ",", ["1234567", "7188"]),
        (["1,234,567", "1.5"], ",", ["1234567", "1.5"]),
        (["7 188", "985,5"], ";", ["7188", "985.5"]),
        (["7\u202f188", "985"], ",", ["7188", "985"]),
        (["7'188.5", "985"], ",", ["7188.5", "985"]),
        (["−5", "3"], ",", ["-5", "3"]),
        (["1,5", "2.5"], ",", ["1.5", "2.5"]),
    ],
)
def test_decimal_and_thousands_signs_are_told_over_the_column(cells, separator, plain):
    assert column(many(*cells), separator)[: len(plain)] == plain


def test_another_column_tells_what_a_lone_comma_means():
    assert column(many("7,188"), "\t", b=many("1,5"))[0] == "7.188"
    assert column(many("7,188"), "\t", b=many("1.5"))[0] == "7188"
    assert column(many("7,188"), ";", b=many("1.5"))[0] == "7188"
    assert column(many("7.188"), ";", b=many("1,5"))[0] == "7188"
    assert column(many("7.188"), ";", b=many("1.5"))[0] == "7.188"


@pytest.mark.parametrize(
    ("cells", "separator"),
    [(["7,188", "6,801"], "\t"), (["1,5", "1,234.5"], ","), (["1,5", "2.500"], ";"), (["1.234,5", "2.5"], ",")],
)
def test_signs_that_cannot_be_told_apart_are_refused(cells, separator):
    with pytest.raises(DataError, match=r"t.csv: column 'a' holds '.*cannot be told whether the sign parts thousands"):
        learnt(separator, a=many(*cells))


def test_words_with_commas_are_no_numbers():
    learnt_columns = learnt(a=many("1,2,4", "3", "1,2"), b=many("Doe, J", "Roe, 1,5"))
    assert [form.kind for form in learnt_columns.formats.values()] == ["choice", "choice"]


@pytest.mark.parametrize("odd", ["inf", "<0,5", "see note", "1e400", "12_3", "--", ">9"])
def test_an_odd_cell_is_named_and_counts_as_missing(odd):
    cells = [f"{i}.5" for i in range(60)]
    learnt_columns = learnt(a=[*cells[:30], odd, *cells[30:]])
    assert learnt_columns.formats["a"].kind == "number"
    if odd == "--":
        assert learnt_columns.notices == []
        return
    (message,) = learnt_columns.notices
    assert (message.kind, message.column, message.line) == ("odd cell", "a", 32)
    assert f"1 of 61 cells are no numbers and count as missing: {odd!r} in line 32" in str(message)
    assert learnt_columns.table["a"][30] == ""


def test_more_than_two_percent_odd_cells_make_categories():
    learnt_columns = learnt(a=["1", "2", "3", "5?"] * 10)
    assert learnt_columns.formats["a"].kind == "choice"
    assert "is taken as categories: 10 of 40 cells are no numbers, the first '5?' in line 5" in str(
        learnt_columns.notices[0]
    )


def test_a_stage_2a_keeps_stages_categories():
    learnt_columns = learnt(a=[*many("1", "2", "3"), "2a"])
    assert learnt_columns.formats["a"].kind == "choice"
    assert learnt_columns.table["a"].iloc[-1] == "2a"


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


@pytest.mark.parametrize(
    ("cells", "layouts"),
    [
        (["2021-01-31", "2021-02-01"], ("%Y-%m-%d",)),
        (["2021-01-31T10:20:00Z", "2021-02-01 11:00"], ("%Y-%m-%d",)),
        (["31.01.2021", "1.2.2021"], ("%d.%m.%Y",)),
        (["31/01/2021", "01/02/2021"], ("%d/%m/%Y",)),
        (["01/31/2021", "01/02/2021"], ("%m/%d/%Y",)),
        (["01/02/2021", "03/04/2021"], ("%d/%m/%Y", "%m/%d/%Y")),
        (["20210131", "20210201", "20210301", "20200101", "19991231"], ("%Y%m%d",)),
        (["3 Jan 2021", "4 Sep 2021"], ("%d %b %Y",)),
    ],
)
def test_a_column_of_dates_is_said_to_be_one(cells, layouts):
    learnt_columns = learnt(a=many(*cells))
    assert learnt_columns.formats["a"] == ColumnFormat("date", layouts=layouts)
    assert "holds dates" in str(learnt_columns.notices[0])
    assert ("cannot be told apart" in str(learnt_columns.notices[0])) == (len(layouts) > 1)


@pytest.mark.parametrize(
    "cells", [["12345678", "87654321"], ["31/31/2021", "1/1/2021"], ["2021", "2022"], ["12.5", "1.5"]]
)
def test_what_only_looks_like_a_date_is_none(cells):
    assert learnt(a=many(*cells)).formats["a"].kind != "date"


def test_none_beside_levels_is_a_category_and_said():
    learnt_columns = learnt(pain=many("None", "Mild", "Severe"), sign=many("+", "-", "++"))
    assert [str(notice) for notice in learnt_columns.notices] == [
        "column 'pain': 'None' (34 cells) is taken as a category like the others, not as missing",
        "column 'sign': '-' (34 cells) is taken as a category like the others, not as missing",
    ]
    assert learnt(a=many("None", "1", "2")).notices == []


@pytest.mark.parametrize(
    ("cells", "at_prediction"),
    [
        (["7,188", "985"], {"7,188": "7188", "7188": "7188", "NA": "NA", "7.1": "7.1", "1,5": None}),
        (["1,33", "2"], {"1,5": "1.5", "1.5": "1.5", "1.500": None, "x": None}),
        (["10.3 mg", "9 mg"], {"10 mg": "10", "10": "10", "10 g": None, "10 MG": "10"}),
        (["[50-60)", "[60-70)"], {"[50-60)": "55", "[70-80)": "75", "63": "63", "old": None}),
    ],
)
def test_a_row_to_predict_is_read_by_the_same_format(cells, at_prediction):
    form = learnt(a=many(*cells)).formats["a"]
    form = ColumnFormat.from_json("number", form.to_json())
    assert {cell: form.canonical(cell) for cell in at_prediction} == at_prediction


def test_what_was_read_once_is_read_alike_again():
    first = learnt(";", a=many("1,33", "2"), b=many("7 mg", "8 mg"), c=many("50-59", "60-69"))
    again = learnt(";", **first.table.to_dict("list"))
    assert again.table.equals(first.table)
    assert again.notices == []


def test_points_beside_whole_numbers_below_1000_are_refused():
    with pytest.raises(DataError, match=r"'a' holds '1.002' and '998'"):
        learnt(a=many("998", "1.002", "987", "1.104", "765", "1.310"))
    assert learnt(a=many("998", "1.002", "0.104", "765", "1.310")).notices == []
    assert learnt(a=many("250", "312.5", "1.002", "765", "1.310", "901", "1.250")).notices == []


POINTED = ["1.234", "2.345", "3.456", "17.890"]


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("more", [[], ["5", "12"], ["998", "997", "996"]])
def test_points_before_three_digits_alone_are_refused(separator, more):
    with pytest.raises(DataError, match=r"'1\.234'.*cannot be told.*--exclude a"):
        column(many(*POINTED, *more), separator)
    with pytest.raises(DataError, match=r"'1\.234 mg'.*cannot be told"):
        column(many(*(f"{cell} mg" for cell in [*POINTED, *more])), separator)


@pytest.mark.parametrize(
    ("others", "first"),
    [({"b": ["1,5", "2,25"]}, "1234"), ({"b": ["1.5", "2.25"]}, "1.234"), ({"b": ["-0.251", "3"]}, "1.234")],
)
def test_another_column_tells_what_points_mean(others, first):
    others = {name: (cells * 100)[: len(many(*POINTED))] for name, cells in others.items()}
    assert column(many(*POINTED), ";", **others)[0] == first


def test_a_number_of_four_digits_tells_that_points_are_decimal():
    assert column(many(*POINTED, "1234"))[0] == "1.234"


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


def test_ranges_of_years_are_read_in_other_languages():
    learnt_columns = learnt(a=many("<18 Jahre", "18-39 Jahre", "40-59 Jahre", "60+ Jahre"))
    assert learnt_columns.table["a"][:4].tolist() == ["9", "28.5", "49.5", "69.5"]


def test_many_unread_numbers_are_reported():
    learnt_columns = learnt(a=[f"{n}/{n + 40}" for n in range(60)])
    assert (
        "taken as 60 categories; if they are numbers, '0/40' in line 2 is not understood"
        in learnt_columns.notices[0].text
    )


def test_codes_far_from_all_other_numbers_are_reported():
    learnt_columns = learnt(age=many("41", "52", "63", "999"), score=many("0", "1", "2", "-9"))
    assert [notice.kind for notice in learnt_columns.notices] == ["code", "code"]
    assert "column 'age': 999 (26 cells) far from the others (41 to 63)" in learnt_columns.notices[0].text
    for cells in (many("900", "950", "999"), many("-9", "-5", "3", "8"), [*many("1", "2"), "999"]):
        assert learnt(a=cells).notices == []
