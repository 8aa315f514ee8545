"""A cell to predict means the category that it spells, without case, blanks or a trailing .0."""

import pytest

from pipeline.data.tabular.matching import is_boolean, match


@pytest.mark.parametrize(
    ("cell", "choices", "result"),
    [
        ("male", ["Female", "Male"], "Male"),
        ("M", ["f", "m"], "m"),
        ("TRUE", ["False", "True"], "True"),
        ("2.0", ["1", "2", "2a"], "2"),
        ("2", ["1.0", "2.0"], "2.0"),
        ("never  Smoked", ["never smoked", "smokes"], "never smoked"),
        ("A", ["a", "A"], "A"),
        ("ÄRZTE", ["ärzte"], "ärzte"),
        ("X", ["Female", "Male"], "X"),
        ("Male", ["M", "F"], "Male"),
        ("1.50", ["1.5"], "1.50"),
    ],
)
def test_only_exact_equivalents_are_matched(cell, choices, result):
    assert match(cell, choices) == result


def test_a_spelling_that_fits_two_categories_fits_none():
    assert match("aA", ["aa", "AA"]) == "aA"


def test_true_and_false_make_a_boolean_column():
    assert is_boolean(["FALSE", "TRUE"])
    assert not is_boolean(["no", "yes"])
    assert not is_boolean([])
