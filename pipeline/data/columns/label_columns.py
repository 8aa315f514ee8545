"""Which column of a CSV of images is the label, one-hot columns included, and which others say the same."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from pipeline.data.columns.column_roles import ColumnRoles, columns_of
from pipeline.data.columns.label_names import named_label
from pipeline.data.columns.one_label import check_joined, find_one_hot

PURE = 0.99  # share of the rows whose label the values of a column say
MOST_VALUES = 50


def name_labels(table: pd.DataFrame, path: Path, label: str | None, group: str | None) -> ColumnRoles:
    """Return which column of a CSV of images is what; `table` lacks the column of names.

    Raises DataError where no label can be told, or the task is multi-label.
    """
    if label is None and named_label(table) is None:
        one_hot = find_one_hot(table, path)
        if one_hot:
            rest = table.drop(columns=one_hot).assign(label="")
            return replace(columns_of(rest, path, "label", group), label=None, one_hot=tuple(one_hot))
    roles = columns_of(table, path, label, group)
    if roles.label:
        check_joined(table[roles.label], roles.label, path)
    return roles


def other_names_of_label(table: pd.DataFrame, labels: pd.Series) -> list[str]:
    """Return the columns of which each value, of a few that repeat, goes with one label: other names of the label."""
    telling = []
    for name in table:
        values = table[name]
        if not 2 <= values.nunique() <= min(MOST_VALUES, len(values) / 4):
            continue
        largest = pd.crosstab(values, labels).max(axis=1).sum()
        if largest >= PURE * len(values) and labels.nunique() > 1:
            telling.append(name)
    return telling
