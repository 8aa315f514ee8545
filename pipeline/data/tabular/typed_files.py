"""Cells of files that know types: Excel, Parquet and ARFF. Each value becomes the text that a CSV would have."""

import datetime
import io
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.errors import DataError
from pipeline.data.tabular.encoding import find_encoding
from pipeline.data.tabular.notices import Notice
from pipeline.data.tabular.text import Cells

MOST_BYTES = 1 << 30  # of a workbook's content: a small file can unpack to any size
MOST_CELLS = 300_000_000  # of a Parquet file


def to_text(value: Any) -> str:
    """Return one value as text: whole numbers without a decimal point, dates in ISO form, nothing for missing."""
    if value is None or value != value:
        return ""
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time() and value.tzinfo is None
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, (float, np.floating)) and float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()


def read_excel(data: bytes, path: Path) -> Cells:
    """Return the cells of the first visible sheet of an .xlsx workbook; a notice names the others."""
    import openpyxl

    _check_archive(data, path)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"] or book.worksheets
        rows = [] if not sheets else [tuple(map(to_text, row)) for row in sheets[0].iter_rows(values_only=True)]
    except Exception as error:  # openpyxl raises whatever the XML made it stumble over
        raise DataError(f"{path}: is not a whole Excel workbook ({error}); save it again as .xlsx or CSV") from None
    if not sheets:
        raise DataError(f"{path}: has no worksheet; expected a table in the first one")
    _check_formulas(data, path, sheets[0].title, rows)
    others = [sheet.title for sheet in book.worksheets if sheet is not sheets[0]]
    notices = []
    if others:
        text = f"{path.name}: the sheet {sheets[0].title!r} is read; not read: {', '.join(map(repr, others))}"
        notices.append(Notice("sheet", "", 0, text))
    return _by_column(rows, notices)


def _by_column(rows: list[tuple[str, ...]], notices: list[Notice]) -> Cells:
    """Return a sheet's rows by column, without rows and columns that are empty throughout."""
    numbered = [(number, row) for number, row in enumerate(rows, start=1) if any(row)]
    if not numbered:
        return Cells([], [], np.zeros(0, np.int32), row_name="row")
    width = max(len(row) for _, row in numbered)
    full = [(number, row + ("",) * (width - len(row))) for number, row in numbered]
    first_line, header = full[0]
    columns = [list(column) for column in zip(*(row for _, row in full[1:]), strict=True)] or [[] for _ in header]
    kept = [index for index, name in enumerate(header) if name or any(columns[index])]
    lines = np.array([number for number, _ in full[1:]], dtype=np.int32)
    return Cells(
        [header[index] for index in kept], [columns[index] for index in kept], lines, first_line, "", "row", notices
    )


def _check_archive(data: bytes, path: Path) -> None:
    """Raise DataError unless the bytes are a workbook of a reasonable size."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names, size = archive.namelist(), sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise DataError(f"{path}: is a damaged archive ({error}); expected an Excel workbook (.xlsx)") from None
    if not any(name.startswith("xl/") for name in names):
        raise DataError(f"{path}: is a zip archive, but no Excel workbook; unpack it, and give the table in it")
    if size > MOST_BYTES:
        raise DataError(f"{path}: unpacks to {size:,} bytes; at most {MOST_BYTES:,} are read. Save it as CSV")


def _check_formulas(data: bytes, path: Path, sheet: str, rows: list[tuple[str, ...]]) -> None:
    """Raise DataError where a formula has no saved value: it would be read as an empty cell."""
    import openpyxl

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        if not any(re.search(rb"<f[ >/]", archive.read(name)) for name in parts):
            return
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
    for number, formulas in enumerate(book[sheet].iter_rows(values_only=True), start=1):
        for index, formula in enumerate(formulas):
            if isinstance(formula, str) and formula.startswith("=") and not rows[number - 1][index]:
                cell = f"{openpyxl.utils.get_column_letter(index + 1)}{number}"
                raise DataError(
                    f"{path}: cell {cell} holds a formula without a saved value; open the file in Excel and save it, or "
                    "save it as CSV"
                )


def read_parquet(data: bytes, path: Path) -> Cells:
    """Return the cells of a Parquet file; raise DataError for columns that hold lists, structures or bytes."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(io.BytesIO(data))
        size = file.metadata.num_rows * file.metadata.num_columns
        if size > MOST_CELLS:
            raise DataError(f"{path}: has {size:,} cells; at most {MOST_CELLS:,} are read")
        table = file.read()
    except pa.ArrowException as error:
        raise DataError(f"{path}: is not a whole Parquet file ({str(error).splitlines()[0]})") from None
    names = [name for name in table.column_names if not re.fullmatch(r"__index_level_\d+__", name)]
    columns = []
    for name in names:
        kind = table.schema.field(name).type
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            raise DataError(f"{path}: column {name!r} holds {kind}; expected numbers, texts, dates or yes and no")
        columns.append(_texts(table[name].to_pylist(), float32=pa.types.is_float32(kind)))
    return _of_columns([name.strip() for name in names], columns, [])


def _texts(values: list[Any], float32: bool = False) -> list[str]:
    """Return a column's values as texts; of numbers with fractions every one keeps its decimal point."""
    known = [value for value in values if isinstance(value, float) and value == value]
    if known and not all(value.is_integer() for value in known):
        cast = np.float32 if float32 else float
        return ["" if value is None or value != value else str(cast(value)) for value in values]
    return list(map(to_text, values))


def read_arff(data: bytes, path: Path) -> Cells:
    """Return the cells of a dense ARFF file."""
    import arff

    encoding, notices = find_encoding(data, path)
    try:
        content = arff.loads(data.decode(encoding))
    except (arff.ArffException, ValueError, StopIteration) as error:
        raise DataError(f"{path}: is not a dense ARFF file ({str(error).strip() or type(error).__name__})") from None
    rows: Iterable[list[Any]] = content["data"]
    names = [name.strip() for name, _ in content["attributes"]]
    columns = [_texts(list(column)) for column in zip(*rows, strict=True)] or [[] for _ in names]
    return _of_columns(names, columns, notices)


def _of_columns(names: list[str], columns: list[list[str]], notices: list[Notice]) -> Cells:
    """Return columns of a file without lines: rows are counted from 1."""
    n_rows = len(columns[0]) if columns else 0
    return Cells(names, columns, np.arange(1, n_rows + 1, dtype=np.int32), 0, "", "row", notices)
