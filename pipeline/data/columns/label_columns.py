"""Which column of a CSV of images is the label, one-hot columns included, and which others say the same."""

from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.data.columns.column_roles import LABELS, columns_of, named
from pipeline.data.columns.one_label import check_joined, find_one_hot

PURE = 0.99  # share of the rows whose label the values of a column say
MOST_VALUES = 50


def name_labels(table: pd.DataFrame, path: Path, label: str | None, group: str | None) -> dict[str, Any]:
    """Return {"label": column or "one_hot": columns, "group": ..., "shipped": ...} of a CSV without its column of names.

    Raises DataError where no label can be told, or the task is multi-label.
    """
    if label is None and named(table, LABELS) is None:
        one_hot = find_one_hot(table, path)
        if one_hot:
            rest = table.drop(columns=one_hot).assign(label="")
            read = columns_of(rest, path, "label", group)
            return {"one_hot": one_hot} | {key: value for key, value in read.items() if key != "label"}
    read = columns_of(table, path, label, group)
    check_joined(table[read["label"]], read["label"], path)
    return dict(read)


def says_label(table: pd.DataFrame, labels: pd.Series) -> list[str]:
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
