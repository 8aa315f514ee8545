"""Which column of a CSV is the label, which the group and which the shipped split: by its name, or by what is in it."""

import re
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from pipeline.core.errors import DataError
from pipeline.data import tables
from pipeline.data.columns.group_names import find_named
from pipeline.data.folders.folder_layout import SHIPPED
from pipeline.data.tabular.missing import missing_in

# Names in lower case and without spaces and signs; the first that is there counts.
LABELS = (
    "label",
    "labels",
    "class",
    "benignmalignant",
    "target",
    "diagnosis",
    "dx",
    "outcome",
    "y",
    "findinglabels",
    "level",
)
LABELS += (
    "grade",
    "category",
    "disease",
    "classname",
    "imageclass",
    "classlabel",
    "pathology",
    "malignancy",
    "malignant",
)
SPLITS = ("split", "shipped", "subset", "partition", "set")
MOST_CLASSES = 20  # in a column that is taken for the label because of what is in it


def columns_of(table: pd.DataFrame, path: Path, label: str | None, group: str | None) -> dict[str, str]:
    """Return {"label": column, "group": ..., "shipped": ...}, without those that the table has not got.

    `label` and `group` are the user's, None has them guessed. Raises DataError, with the columns there are, for one that is
    missing and where no label can be told.
    """
    for column, option in ((label, "--label"), (group, "--group")):
        if column:
            tables.require_column(table, column, path, option)
    rest = table.drop(columns=[column for column in {label, group} if column])
    shipped = named(rest, SPLITS)
    if shipped and not set(rest[shipped].str.lower()) <= set(SHIPPED):
        shipped = None
    others = rest.drop(columns=[column for column in (shipped, label or named(rest, LABELS)) if column in rest])
    group = group or guess_group(others)
    label = label or guess_label(rest.drop(columns=[c for c in (shipped, group) if c in rest]), path)
    roles = {"label": label, "group": group, "shipped": shipped}
    return {key: column for key, column in roles.items() if column}


def named(columns: Collection[str], names: tuple[str, ...]) -> str | None:
    """Return the column with the first of `names` that exists; case, spaces and signs are ignored."""
    plain = {re.sub(r"[\W_]+", "", column.casefold()): column for column in columns}
    return next((plain[name] for name in names if name in plain), None)


def guess_group(table: pd.DataFrame) -> str | None:
    """Return the column that is named like a patient or lesion and whose values repeat, if there is one."""
    groups = find_named(table)
    return groups[0].column if groups else None


def guess_label(table: pd.DataFrame, path: Path) -> str:
    """Return the column that is named like a label, else the last one if it has a few values, each several times."""
    label = named(table, LABELS)
    if label is None and len(table.columns):
        last = table.columns[-1]
        n_values = len(set(table[last]) - missing_in(table[last], of_label=True))
        label = last if 2 <= n_values <= min(MOST_CLASSES, len(table) / 2) else None
    if label is None:
        raise DataError(
            f"{path.as_posix()}: cannot tell which column is the label; choose one with --label: "
            f"{', '.join(table.columns) or 'no columns: there is none besides'}"
        )
    return label
