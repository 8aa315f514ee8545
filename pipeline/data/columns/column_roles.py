"""Which column of a CSV is the label, which the group and which the shipped split: by its name, or by what is in it."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.core.artifacts import JSON
from pipeline.data import tables
from pipeline.data.columns.group_names import find_named
from pipeline.data.columns.label_names import guess_label, named_label
from pipeline.data.columns.shipped_column import find_shipped


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


def guess_group(table: pd.DataFrame) -> str | None:
    """Return the column that is named like a patient or lesion and whose values repeat, if there is one."""
    groups = find_named(table)
    return groups[0].column if groups else None
