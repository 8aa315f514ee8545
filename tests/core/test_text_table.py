"""Cells stand below each other, and no line ends in blanks."""

from pipeline.core.text_table import aligned


def test_columns_are_as_wide_as_their_widest_cell():
    assert aligned([["model", "auc", ""], ["a", "0.9", "*"]]) == ["model  auc", "a      0.9  *"]
