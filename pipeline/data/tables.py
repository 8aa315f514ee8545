"""The only place where rows become features: reading tables, telling column types apart, the schema of a form.

How a file becomes cells, and how cells are written, is in `data.tabular`.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from pipeline.core.errors import DataError
from pipeline.data.rows import one_row
from pipeline.data.tabular.files import Header, TableFile, read_table
from pipeline.data.tabular.formats import ColumnFormat, Field
from pipeline.data.tabular.missing import is_missing as is_missing  # offered to all who read cells
from pipeline.data.tabular.missing import missing_in
from pipeline.data.tabular.numbers import as_number, as_numbers
from pipeline.data.tabular.values import DECIMAL_COMMA, MAX_VALUES


def read_csv(path: Path, data: bytes | None = None, header: Header = "first") -> pd.DataFrame:
    """Return a table's cells as text, one row per line, headers and cells stripped.

    See `tabular.files.read_table`. Where the semicolon separates, the comma is the decimal sign: in columns in which every cell
    is a number it becomes a point.
    """
    return with_decimal_points(read_table(path, data, header))


def with_decimal_points(file: TableFile, columns: Collection[str] | None = None) -> pd.DataFrame:
    """Return some columns of a table, where the semicolon separates with 1.5 for 1,5 in those in which every cell is a number."""
    table = file.table if columns is None else file.table[list(columns)]
    if file.separator != ";":
        return table
    table = table.copy()
    for name in table:
        cells = table[name].tolist()
        if not any("," in cell for cell in cells):
            continue
        pointed = [cell.replace(",", ".") if DECIMAL_COMMA.fullmatch(cell) else cell for cell in cells]
        if all(map(reads_as_number, pointed)):
            table[name] = pd.Series(pointed, dtype=object)
    return table


def require_column(table: pd.DataFrame, column: str, path: Path, key: str) -> None:
    """Raise DataError, listing the columns there are, unless `table` has `column`."""
    if column not in table:
        raise DataError(f"{path}: has no column {column!r} (from {key}); it has: {', '.join(table.columns)}")


def row_ids(features: pd.DataFrame) -> list[str]:
    """Return 16 hex digits of the SHA-256 of each row's cells: rows equal in all features have equal ids."""
    return [
        hashlib.sha256("\x1f".join(cells).encode()).hexdigest()[:16]
        for cells in features.itertuples(index=False, name=None)
    ]


def number_equal_rows(ids: Sequence[str]) -> list[str]:
    """Return ids of which no two are equal: the first of equal ones stays, the k-th becomes the hash of the id and k.

    Rows that are equal in all features are mostly different patients. An id depends on the rows before it alone, so rows that are
    added at the end of a file change none.
    """
    seen: Counter[str] = Counter()
    numbered = []
    for id_ in ids:
        seen[id_] += 1
        again = f"{id_}:{seen[id_]}".encode()
        numbered.append(id_ if seen[id_] == 1 else hashlib.sha256(again).hexdigest()[:16])
    return numbered


def reads_as_number(cell: str) -> bool:
    """Return whether the cell is a number or missing."""
    try:
        as_number(cell)
    except ValueError:
        return False
    return True


def typed(features: pd.DataFrame) -> pd.DataFrame:
    """Return string columns as float64 where every cell is a number or missing, else as strings ("" is missing)."""
    columns = {}
    for name in features:
        cells = features[name].tolist()
        try:
            columns[name] = as_numbers(cells)
        except ValueError:
            missing = missing_in(cells)
            columns[name] = np.array(["" if cell in missing else cell for cell in cells], dtype=object)
    return pd.DataFrame(columns)


def is_number(column: pd.Series) -> bool:
    """Return whether a column made by `typed` holds numbers rather than categories."""
    return column.dtype == np.float64


def schema(X: pd.DataFrame, units: Mapping[str, str], formats: Mapping[str, ColumnFormat] | None = None) -> list[Field]:
    """Return the schema of the columns of `X` (made by `typed`), learnt from its rows.

    A column has the unit that `units` or its cells give; `formats` says which numbers were not written plainly.
    """
    fields = []
    for name, column in zip(map(str, X), (column for _, column in X.items()), strict=True):
        kind: Literal["number", "choice"] = "number" if is_number(column) else "choice"
        form = (formats or {}).get(name, ColumnFormat(kind))
        unit = units.get(name) or form.unit
        form = form if form.kind == kind else ColumnFormat(kind)
        if kind == "number":
            cells = column.to_numpy()
            known = cells[~np.isnan(cells)]
            fields.append(replace(number_field(name, known, unit, form), missing=len(known) < len(column)))
        else:
            counts = column.value_counts()
            choices = sorted(value for value in set(column) if value)
            default = max(choices, key=lambda choice: counts[choice], default="")
            fields.append(Field(name, kind, default, unit, form, choices=choices, missing="" in counts.index))
    return fields


def number_field(name: str, values: np.ndarray, unit: str, form: ColumnFormat) -> Field:
    """Return the schema of a column with these known values, float64 (n,)."""
    if not len(values):
        return Field(name, "number", None, unit, form)
    low, high, median = float(values.min()), float(values.max()), float(np.median(values))
    distinct = np.unique(values)
    if len(distinct) > MAX_VALUES or (distinct != np.round(distinct)).any():
        return Field(name, "number", median, unit, form, low, high)
    default = float(distinct[np.searchsorted(distinct, median)])
    return Field(name, "number", default, unit, form, low, high, [int(value) for value in distinct])


def to_frame(row: Mapping[str, Any], fields: list[Field]) -> pd.DataFrame:
    """Return `rows.one_row` as a DataFrame."""
    return one_row(row, fields).to_frame()
