"""One row of a table to predict: its cells as a model takes them, without pandas, which takes 50 MB and 0.4 s."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.core.errors import DataError
from pipeline.data.tabular.formats import Field
from pipeline.data.tabular.values import to_category, to_number

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class OneRow:
    """A row by column: an array of one number, float64, or of one text, object. It is indexed as a DataFrame is."""

    cells: dict[str, np.ndarray]

    def __len__(self) -> int:
        return 1

    def __getitem__(self, column: str) -> np.ndarray:
        return self.cells[column]

    def numbers(self, columns: list[str]) -> np.ndarray:
        """Return the row's values in columns of numbers, float64 (1, n_columns)."""
        return np.array([[self.cells[name][0] for name in columns]], np.float64)

    def to_frame(self) -> "pd.DataFrame":
        """Return the row as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.cells)


def one_row(row: Mapping[str, Any], fields: list[Field]) -> OneRow:
    """Return one row as the features a model was trained on: exactly the schema's columns, in its order and types.

    Numbers are read as they were written in training (see `data.tabular.formats`), categories matched without case, blanks or
    a trailing .0. A missing value (None, "" or a word such as "NA") is imputed by the model, an unknown category accepted,
    and further columns are ignored. Raises DataError where a column is missing, or where a number is expected and something
    else is found.
    """
    cells = {str(name).strip(): value for name, value in row.items()}
    if len(cells) < len(row):
        names = [str(name).strip() for name in row]
        raise DataError(
            f"two columns are called {next(name for name in names if names.count(name) > 1)!r}; expected one"
        )
    check_columns(cells, fields)
    columns = {}
    for field in fields:
        value = cells[field.name]
        if field.is_number:
            columns[field.name] = np.array([to_number(value, field)])
        else:
            category = to_category(value, field) or (field.default if field.is_constant else "")
            columns[field.name] = np.array([category], dtype=object)
    return OneRow(columns)


def check_columns(columns: Collection[str], fields: list[Field]) -> None:
    """Raise DataError if a column of the schema is missing, and name the unknown ones, which may be misspelt."""
    names = [field.name for field in fields]
    absent = [name for name in names if name not in columns]
    if absent:
        unknown = [name for name in columns if name not in names]
        also = f"; unknown columns: {', '.join(unknown)}" if unknown else ""
        raise DataError(f"missing columns: {', '.join(absent)}{also}; expected: {', '.join(names)}")


def check_values(row: OneRow, fields: list[Field]) -> None:
    """Raise DataError where a row lacks a value that every training row had."""
    cells = [(row[field.name][0], field) for field in fields]
    absent = [field.name for value, field in cells if field.is_required and (value == "" or value != value)]
    if absent:
        raise DataError(
            f"no value of {', '.join(map(repr, absent))}, which every training row had: nothing is filled in for it; give a value"
        )


def unused(columns: Iterable[str], fields: list[Field]) -> str:
    """Return a note that names the columns that the schema does not have; "" for none."""
    known = {field.name for field in fields}
    names = [name for name in columns if str(name).strip() not in known]
    return f"not used by the model: {', '.join(map(str, names))}" if names else ""


def new_categories(X: "OneRow | pd.DataFrame", fields: list[Field]) -> dict[str, list[str]]:
    """Return by column the categories, of rows made by `one_row`, that training never saw."""
    new = {}
    for field in fields:
        unseen = set(X[field.name]) - {"", *field.choices} if field.choices is not None else set()
        if unseen:
            new[field.name] = sorted(unseen)
    return new
