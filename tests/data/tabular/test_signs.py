"""What comma and point mean is inferred from the column, else from the file, else refused."""

import pytest

from pipeline.core.errors import DataError
from tests.helpers.tables import column, learnt, many


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
    with pytest.raises(
        DataError, match=r"t.csv: column 'a' holds '.*the (point|comma) may be a decimal or a thousands separator"
    ):
        learnt(separator, a=many(*cells))


def test_points_beside_whole_numbers_below_1000_are_refused():
    with pytest.raises(DataError, match=r"'a' holds '1.002' and '998'"):
        learnt(a=many("998", "1.002", "987", "1.104", "765", "1.310"))
    assert learnt(a=many("998", "1.002", "0.104", "765", "1.310")).notices == []
    assert learnt(a=many("250", "312.5", "1.002", "765", "1.310", "901", "1.250")).notices == []


POINTED = ["1.234", "2.345", "3.456", "17.890"]


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("more", [[], ["5", "12"], ["998", "997", "996"]])
def test_points_before_three_digits_alone_are_refused(separator, more):
    with pytest.raises(DataError, match=r"'1\.234'.*thousands separator.*--exclude a"):
        column(many(*POINTED, *more), separator)
    with pytest.raises(DataError, match=r"'1\.234 mg'.*thousands separator"):
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
