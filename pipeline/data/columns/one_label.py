"""Labels that a CSV spreads over columns: one-hot columns are one label, several 1 in a row are a multi-label task."""

from pathlib import Path

import pandas as pd

from pipeline.core.errors import DataError
from pipeline.data.tables import is_missing

FEWEST_COLUMNS = 3  # two columns of 0 and 1 that exclude each other may be a feature and its opposite
ZERO_ONE = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}
UNCERTAIN = {"-1": 0, "-1.0": 0}  # of CheXpert: neither
SIGNS = ("|", ";", ",", "+")  # between the labels of a cell
FEWEST_SINGLE = 0.5  # share of the parts of joined cells that must be labels of their own


class MultiLabelError(DataError):
    """Raised where samples have several labels."""


def bits(cells: pd.Series) -> pd.Series | None:
    """Return the cells of a column as 0 and 1, None where one is neither; an empty cell is 0."""
    values = cells.str.lower().map(lambda cell: 0 if is_missing(cell) else (ZERO_ONE | UNCERTAIN).get(cell, -1))
    return None if (values < 0).any() else values


def find_one_hot(table: pd.DataFrame, path: Path) -> list[str]:
    """Return the columns that are one label together: in each row one of them is 1, or none.

    Raises DataError where there are such columns but several are 1 in a row.
    """
    runs: list[list[str]] = [[]]
    columns = {}
    for name in table:
        values = bits(table[name])
        if values is None:
            runs.append([])
        else:
            columns[name] = values
            runs[-1].append(name)
    runs = sorted((run for run in runs if len(run) >= FEWEST_COLUMNS), key=len, reverse=True)
    for run in runs:
        n_ones = sum(columns[name] for name in run)
        if (n_ones <= 1).all() and (n_ones == 1).mean() > 0.5:
            return run
    for run in runs:
        n_ones = sum(columns[name] for name in run)
        many = n_ones[n_ones > 1]
        if len(many):
            raise MultiLabelError(
                f"{path.as_posix()}: is multi-label: {len(many)} rows have a 1 in several of the columns {', '.join(run[:5])}"
                f"{' ...' if len(run) > 5 else ''}, the first is row {many.index[0] + 1}. One label a sample is expected: "
                f"name a single column, --label {run[0]}"
            )
    return []


def label_of(row: dict[str, str], one_hot: list[str]) -> str:
    """Return the column of `one_hot` that is 1, "" where none is; raise DataError where several are."""
    ones = [name for name in one_hot if ZERO_ONE.get(row[name].lower()) == 1]
    if len(ones) > 1:
        raise DataError(f"is multi-label: {', '.join(ones)} are 1; one label a sample is expected")
    return ones[0] if ones else ""


def check_joined(labels: pd.Series, column: str, path: Path) -> None:
    """Raise DataError where cells hold several labels, as in Cardiomegaly|Effusion, whose parts are labels of other rows."""
    values = set(labels)
    for sign in SIGNS:
        joined = [value for value in values if sign in value and all(part.strip() for part in value.split(sign))]
        parts = {part.strip() for value in joined for part in value.split(sign)}
        if joined and len(parts) >= 2 and sum(part in values for part in parts) >= FEWEST_SINGLE * len(parts):
            row = labels[labels == sorted(joined)[0]].index[0] + 1
            raise MultiLabelError(
                f"{path.as_posix()}: is multi-label: column {column!r} holds several labels in a cell, for instance "
                f"{sorted(joined)[0]!r} in row {row}. One label a sample is expected: name another column, --label, or write "
                "one label a row"
            )
