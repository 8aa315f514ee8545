"""The only place where rows become features: reading CSV files, telling column types apart, the schema of a form."""

import csv
import hashlib
import io
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core.errors import DataError

MISSING = ("", "na", "n/a", "nan", "null", "none", "?")  # in lower case; what other programs write for an empty cell
MAX_VALUES = 10  # a number with at most so many whole values is entered by choice
SEPARATORS = ",;\t|"
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


def read_csv(path: Path, data: bytes | None = None, numbers: Collection[str] | None = None) -> pd.DataFrame:
    """Return a CSV file as strings, one row per line, headers and cells stripped.

    UTF-8 with or without BOM; separated by comma, semicolon, tab or bar, whichever parts the header most. Where the
    semicolon separates, the comma is the decimal sign: in columns of numbers (`numbers` if given, else those in which every
    cell is one) it becomes a point. `data` may hold the bytes already; `path` then only names them in errors. Raises
    DataError for what is not such a table.
    """
    data = path.read_bytes() if data is None else data
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 (byte {error.start}); save it as 'CSV UTF-8'") from None
    if "\0" in text:
        raise DataError(f"{path}: holds zero bytes, as UTF-16 does; save it as 'CSV UTF-8'")
    lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")  # StringIO takes 4 bytes a character
    first = [next((line for line in lines if line.strip()), "")]
    lines.seek(0)
    try:
        # parsed, not counted: a quoted name may contain a separator
        separator = max(SEPARATORS, key=lambda sign: len(next(csv.reader(first, delimiter=sign), [])))
        filled = (row for row in csv.reader(lines, delimiter=separator) if any(map(str.strip, row)))
        header = [name.strip() for name in next(filled, [])]
        check_header(header, path)
        columns = read_columns(filled, len(header), path)
    except csv.Error as error:
        raise DataError(f"{path}: is not a CSV file ({error})") from None
    table = pd.DataFrame(dict(zip(header, columns, strict=True)), dtype=object)
    return with_points(table, numbers) if separator == ";" else table


def check_header(header: list[str], path: Path) -> None:
    """Raise DataError where a column has no name, or two have the same."""
    if "" in header:
        raise DataError(f"{path}: column {header.index('') + 1} has no name in the header; name it or delete it")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(f"{path}: the header names {', '.join(map(repr, twice))} more than once; rename all but one")


def read_columns(rows: Iterable[list[str]], n_columns: int, path: Path) -> list[list[str]]:
    """Return the cells by column, stripped. Equal cells are one object: a list of 100,000 pictures takes
    44 MB at its peak rather than 62.

    Raises DataError for a row of another length, and where there is no row.
    """
    columns: list[list[str]] = [[] for _ in range(n_columns)]
    for number, row in enumerate(rows, start=1):
        if len(row) != n_columns:
            raise DataError(
                f"{path}: row {number} has {len(row)} cells; the header has {n_columns}. Is a separator in an unquoted text?"
            )
        for column, cell in zip(columns, row, strict=True):
            column.append(sys.intern(cell.strip().replace("\r\n", "\n").replace("\r", "\n")))
    if not columns or not columns[0]:
        raise DataError(f"{path}: has no rows; expected a header line and at least one row")
    return columns


def with_points(table: pd.DataFrame, numbers: Collection[str] | None) -> pd.DataFrame:
    """Return `table` with 1.5 for 1,5 in columns of numbers: those in `numbers`, or in which every cell is a number."""
    for name in table:
        pointed = [cell.replace(",", ".") if DECIMAL_COMMA.fullmatch(cell) else cell for cell in table[name]]
        if name in numbers if numbers is not None else all(map(reads_as_number, pointed)):
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


def is_missing(cell: str) -> bool:
    """Return whether a cell says that there is no value."""
    return cell.lower() in MISSING


def as_number(cell: str) -> float:
    """Return the cell as a float, NaN where it is missing; raise ValueError for anything else, infinities too."""
    if is_missing(cell):
        return np.nan
    number = float(cell)
    if not np.isfinite(number) or "_" in cell:  # Python would read the code 12_3 as 123
        raise ValueError(f"not a finite number: {cell}")
    return number


def reads_as_number(cell: str) -> bool:
    """Return whether the cell is a number or missing."""
    try:
        as_number(cell)
    except ValueError:
        return False
    return True


def nearly_numbers(features: pd.DataFrame) -> list[str]:
    """Return a sentence for each column that becomes categories because some of its cells, at most half, are no numbers."""
    found = []
    for name in features:
        known = [(row, cell) for row, cell in enumerate(features[name], start=1) if not is_missing(cell)]
        odd = [(row, cell) for row, cell in known if not reads_as_number(cell)]
        unclear = [cell for _, cell in odd if not DECIMAL_COMMA.fullmatch(cell)]
        if odd and len(unclear) <= len(known) / 2:
            hint = "" if unclear else "; write a decimal point, or part the file by semicolons"
            found.append(
                f"column {name!r} is taken as categories: {len(odd)} of {len(known)} cells are no numbers, the first "
                f"{odd[0][1]!r} in row {odd[0][0]}{hint}"
            )
    return found


def typed(features: pd.DataFrame) -> pd.DataFrame:
    """Return string columns as float64 where every cell is a number or missing, else as strings ("" is missing)."""
    columns = {}
    for name in features:
        cells = features[name].tolist()
        try:
            columns[name] = np.array([as_number(cell) for cell in cells])
        except ValueError:
            columns[name] = np.array(["" if is_missing(cell) else cell for cell in cells], dtype=object)
    return pd.DataFrame(columns)


def is_number(column: pd.Series) -> bool:
    """Return whether a column made by `typed` holds numbers rather than categories."""
    return column.dtype == np.float64


def schema(X: pd.DataFrame, units: dict[str, str]) -> list[dict[str, Any]]:
    """Return what a form needs to know of each column, learnt from the rows of `X` (made by `typed`).

    A number: name, type "number", min, max, default (median), and `values` if there are few whole ones. A category:
    name, type "choice", choices, default (the most frequent). `unit` where `units` gives one.
    """
    fields = []
    for name in X:
        field: dict[str, Any] = {"name": str(name), "type": "number" if is_number(X[name]) else "choice"}
        if field["type"] == "number":
            field |= number_field(X[name].dropna().to_numpy())
        else:
            values = sorted(value for value in set(X[name]) if value)
            counts = X[name].value_counts()
            field |= {"choices": values, "default": max(values, key=lambda v: counts[v]) if values else ""}
        if name in units:
            field["unit"] = units[name]
        fields.append(field)
    return fields


def number_field(values: np.ndarray) -> dict[str, Any]:
    """Return min, max, default and, for few whole values, `values` of a number's known values."""
    if not len(values):
        return {"min": None, "max": None, "default": None}
    field: dict[str, Any] = {
        "min": float(values.min()),
        "max": float(values.max()),
        "default": float(np.median(values)),
    }
    distinct = np.unique(values)
    if len(distinct) <= MAX_VALUES and (distinct == np.round(distinct)).all():
        field["values"] = [int(value) for value in distinct]
        field["default"] = float(distinct[np.searchsorted(distinct, np.median(values))])
    return field


def check_columns(found: Collection[str], fields: list[dict[str, Any]]) -> None:
    """Raise DataError, with the names of those that are missing or unknown, unless the columns are those of the schema."""
    names = [field["name"] for field in fields]
    absent = [name for name in names if name not in found]
    unknown = [name for name in found if name not in names]
    if absent or unknown:
        also = f"; unknown columns: {', '.join(unknown)}" if unknown else ""
        raise DataError(f"missing columns: {', '.join(absent) or 'none'}{also}; expected: {', '.join(names)}")


def to_frame(row: dict[str, Any], fields: list[dict[str, Any]]) -> pd.DataFrame:
    """Return one row as the features a model was trained on: exactly the schema's columns, in its order and types.

    A missing value (None, "" or a word such as "NA") is imputed by the model, an unknown category accepted. Raises
    DataError where a column is missing or unknown, or where a number is expected and something else is found.
    """
    cells = {str(name).strip(): "" if value is None else str(value).strip() for name, value in row.items()}
    check_columns(cells, fields)
    columns = {}
    for field in fields:
        cell = cells[field["name"]]
        if field["type"] == "choice":
            columns[field["name"]] = np.array(["" if is_missing(cell) else cell], dtype=object)
            continue
        try:
            columns[field["name"]] = np.array([as_number(cell)])
        except ValueError:
            hint = ", with a decimal point" if DECIMAL_COMMA.fullmatch(cell) else ""
            raise DataError(f"column {field['name']!r}: found {cell!r}; expected a number{hint}") from None
    return pd.DataFrame(columns)
