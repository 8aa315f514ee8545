"""Values of a table that may be mistakes are named with their line; skewed measurements and other words are not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.data.columns.odd_values import about_odd_values, far_numbers, twin_categories
from pipeline.data.tabular.formats import Source

RNG = np.random.default_rng(3)
AGES = RNG.integers(20, 90, 300).astype(float)


@pytest.mark.parametrize(
    ("values", "odd", "ends"),
    [
        ([*AGES, 640.0], [640.0], "20 to 88"),
        ([*AGES, 640.0, np.nan, 655.0], [640.0, 655.0], "20 to 88"),
        ([*AGES, -200.0], [-200.0], "20 to 88"),
        ([*AGES, -1.0], [-1.0], "20 to 88"),
        ([*np.linspace(2.5, 7.6, 100), 47.0], [47.0], "2.5 to 7.6"),
        ([*np.linspace(-3, 0, 100), 30.0], [30.0], "-3 to 0"),
        ([*np.linspace(140, 200, 100), 1.72], [1.72], "140 to 200"),
        ([*[0.0] * 900, *np.linspace(1, 4, 100), 90.0], [90.0], "1 to 4"),
    ],
)
def test_numbers_far_from_all_others_are_named(values, odd, ends):
    values_far, text = far_numbers(np.array(values))
    assert values_far == odd
    assert f"far from the others, {ends}; if it is a mistake" in text


@pytest.mark.parametrize(
    "values",
    [
        AGES,
        RNG.normal(size=1000),
        RNG.lognormal(0, 1.5, 1000),
        RNG.exponential(size=1000),
        RNG.poisson(1, 1000).astype(float),
        [0.0] * 99 + [1.0],
        [*AGES[:10], 640.0],
        [5.0] * 50,
        RNG.lognormal(0, 1.5, 1000) - 1,
        np.where(RNG.random(1000) < 0.98, 0, RNG.lognormal(3, 1, 1000)),
        RNG.standard_t(3, 1000),
        np.sort(RNG.normal(2.6, 1, 1000))[4:],
    ],
    ids="uniform normal lognormal exponential counts rare_yes few constant skewed_about_0 mostly_0 tails a_few_negative".split(),
)
def test_genuine_measurements_are_not_named(values):
    assert far_numbers(np.array(values)) == ([], "")


def test_spellings_and_typing_errors_of_a_category_are_named():
    cells = ["Basel"] * 40 + ["Zurich"] * 40 + ["basel", "Zuerich", ""]
    assert twin_categories(cells) == (
        ["Zuerich", "basel"],
        "categories that may be one: 'Zuerich' and 'Zurich', 'basel' and 'Basel'; if so, write them alike",
    )


@pytest.mark.parametrize("rare", ["grade 2", "hyperthyroid", "T1b", "no", "type II", "Hepatitis C", "aseptic"])
def test_other_categories_are_not_named(rare):
    assert (
        twin_categories(["grade 1", "hypothyroid", "T1a", "yes", "type I", "Hepatitis B", "septic"] * 30 + [rare])[0]
        == []
    )


def test_the_line_and_the_number_of_others_are_said():
    table = pd.DataFrame({"age": [*map(str, AGES), "640", "640"], "site": ["Basel"] * 302}, dtype=object)
    (notice,) = about_odd_values(table, Source(Path("t.csv"), range(2, 304)))
    assert (notice.kind, notice.column, notice.line) == ("odd value", "age", 302)
    assert str(notice).startswith("column 'age': 640 far from the others")
    assert "(line 302 and 1 more)" in str(notice)
