"""A first row that is no header is noticed."""

import numpy as np
import pytest

from pipeline.core.errors import DataError
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
