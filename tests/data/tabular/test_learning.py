"""How cells are written is told over the whole column, said, and applied alike to each row to predict."""

import pytest

from tests.helpers.tables import learnt, many


def test_plain_numbers_and_words_stay_without_notice():
    cells = {"n": ["1", "-1.50", "NA", "1e3"], "w": ["x", "", "1", "y"], "m": ["", "?", ".", "#N/A"]}
    learnt_columns = learnt(**cells)
    assert learnt_columns.table.to_dict("list") == cells
    assert learnt_columns.notices == []
    assert [form.kind for form in learnt_columns.formats.values()] == ["number", "choice", "number"]


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


def test_none_beside_levels_is_a_category_and_said():
    learnt_columns = learnt(pain=many("None", "Mild", "Severe"), sign=many("+", "-", "++"))
    assert [str(notice) for notice in learnt_columns.notices] == [
        "column 'pain': 'None' (34 cells) is taken as a category like the others, not as missing",
        "column 'sign': '-' (34 cells) is taken as a category like the others, not as missing",
    ]
    assert learnt(a=many("None", "1", "2")).notices == []


def test_many_unread_numbers_are_reported():
    learnt_columns = learnt(a=[f"{n}/{n + 40}" for n in range(60)])
    assert (
        "taken as 60 categories; if they are numbers, '0/40' in line 2 is not understood"
        in learnt_columns.notices[0].text
    )


def test_codes_far_from_all_other_numbers_are_reported():
    score, ratio = many("0", "1", "2", "-9"), many("2.5", "3.5", "4.0", "-999.0")
    learnt_columns = learnt(age=many("41", "52", "63", "999"), score=score, ratio=ratio)
    assert [notice.kind for notice in learnt_columns.notices] == ["code", "code", "code"]
    assert "column 'age': 999 (26 cells) far from the others (41 to 63)" in learnt_columns.notices[0].text
    for cells in (many("900", "950", "999"), many("-9", "-5", "3", "8"), [*many("1", "2"), "999"]):
        assert learnt(a=cells).notices == []
