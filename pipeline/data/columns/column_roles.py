"""Which column of a CSV is the label, which the group and which the shipped split: by its name, or by what is in it."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.core.artifacts import JSON
from pipeline.core.errors import DataError
from pipeline.data import tables
from pipeline.data.columns.group_names import find_named
from pipeline.data.columns.label_names import guess_label, named_label
from pipeline.data.columns.words import PARTS

# Names in lower case and without spaces and signs; the first that is there counts.
SPLITS = ("split", "shipped", "subset", "partition", "set", "traintest", "phase", "usage", "dataset", "cohort")


@dataclass(frozen=True)
class ColumnRoles:
    """Which columns of a CSV are what, None or empty where it has none.

    `one_hot`: columns of 0 and 1 that are one label together, instead of `label`. `reason`: why a label was taken that nobody
    named.
    """

    label: str | None = None
    group: str | None = None
    shipped: str | None = None
    one_hot: tuple[str, ...] = ()
    reason: str = ""

    @property
    def columns(self) -> list[str]:
        """All columns that have a role."""
        return [column for column in (self.label, *self.one_hot, self.group, self.shipped) if column]

    def as_read(self) -> JSON:
        """Return the keys of `read` in params.yaml."""
        one_hot = {"one_hot": list(self.one_hot)} if self.one_hot else {}
        roles = {"label": self.label, "group": self.group, "shipped": self.shipped}
        return one_hot | {key: column for key, column in roles.items() if column}


def columns_of(table: pd.DataFrame, path: Path, label: str | None, group: str | None) -> ColumnRoles:
    """Return which column is what; `label` and `group` are the user's, None has them guessed.

    Raises DataError, with the columns there are, for one that is missing and where no label can be told.
    """
    for column, option in ((label, "--label"), (group, "--group")):
        if column:
            tables.require_column(table, column, path, option)
    rest = table.drop(columns=[column for column in {label, group} if column])
    shipped = find_shipped(rest, path)
    others = rest.drop(columns=[column for column in (shipped, label or named_label(rest)) if column in rest])
    group = group or guess_group(others)
    if label:
        return ColumnRoles(label, group, shipped)
    choice = guess_label(rest.drop(columns=[column for column in (shipped, group) if column in rest]), path)
    return ColumnRoles(choice.column, group, shipped, reason=choice.reason)


def find_shipped(table: pd.DataFrame, path: Path) -> str | None:
    """Return the column of a shipped split, None without; raise DataError where some of its cells name no part of one."""
    column = named(table, SPLITS)
    if column is None:
        return None
    words = table[column].str.lower()
    known = words.isin(list(PARTS))
    if known.mean() > 0.5 and not known.all() and words[known].map(PARTS).nunique() > 1:
        odd = table[column][~known]
        raise DataError(
            f"{path.as_posix()}: column {column!r} looks like a shipped split, but {len(odd)} of {len(table)} cells, the first "
            f"{odd.iloc[0]!r} in row {odd.index[0] + 1}, are neither train, valid nor test. Write one of these, "
            "delete these rows, or rename the column if it is no split"
        )
    return column if known.all() else None


def named(columns: Collection[str], names: tuple[str, ...]) -> str | None:
    """Return the column with the first of `names` that exists; case, spaces and signs are ignored."""
    plain = {re.sub(r"[\W_]+", "", column.casefold()): column for column in columns}
    return next((plain[name] for name in names if name in plain), None)


def guess_group(table: pd.DataFrame) -> str | None:
    """Return the column that is named like a patient or lesion and whose values repeat, if there is one."""
    groups = find_named(table)
    return groups[0].column if groups else None
