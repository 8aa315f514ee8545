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
from pipeline.data.tabular import header as headers
from pipeline.data.tabular.cells import Cells, Notice
from pipeline.data.tabular.encoding import find_encoding

TRIED = 100  # rows in which a header is sought
MOST_CELLS = 300_000_000  # of a Parquet file


def to_text(value: Any) -> str:
    """Return one value as text: whole numbers without a decimal point, dates in ISO form, nothing for missing."""
    if value is None or value != value:
        return ""
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time() and value.tzinfo is None
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, (float, np.floating)) and float(value).is_integer() and abs(float(value)) < 1e15:
        return str(int(value))
    return str(value).strip()


def read_excel(data: bytes, path: Path) -> Cells:
    """Return the cells of the first visible sheet of an .xlsx workbook that holds a table; a notice names the others."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"] or book.worksheets
        content = {sheet.title: _sheet_rows(sheet) for sheet in visible}
    except Exception as error:  # openpyxl raises whatever the XML made it stumble over
        raise DataError(f"{path}: is not a whole Excel workbook ({error}); save it again as .xlsx or CSV") from None
    if not content:
        raise DataError(f"{path}: has no worksheet; expected a table in the first one")
    title = next((name for name, rows in content.items() if _is_table(rows)), next(iter(content)))
    _check_formulas(data, path, title, content[title])
    others = [sheet.title for sheet in book.worksheets if sheet.title != title]
    notices = []
    if others:
        text = f"{path.name}: the sheet {title!r} is read; not read: {', '.join(map(repr, others))}"
        notices.append(Notice("sheet", "", 0, text))
    return _by_column(content[title], notices, path, *_layout(data, title))


def _sheet_rows(sheet: Any) -> list[tuple[str, ...]]:
    """Return the rows of a sheet as text; a size that its file states wrongly does not count."""
    sheet.reset_dimensions()
    return [tuple(map(to_text, row)) for row in sheet.iter_rows(values_only=True)]


def _is_table(rows: list[tuple[str, ...]]) -> bool:
    """Return whether a sheet has two rows or more of two cells or more."""
    return sum(sum(map(bool, row)) > 1 for row in rows) > 1


def _by_column(
    rows: list[tuple[str, ...]], notices: list[Notice], path: Path, merged: list[str], hidden: list[int]
) -> Cells:
    """Return a sheet's rows by column, without rows and columns that are empty throughout and rows above the header."""
    numbered = [(number, row) for number, row in enumerate(rows, start=1) if any(row)]
    if not numbered:
        return Cells([], [], np.zeros(0, np.int32), row_name="row")
    width = max(len(row) for _, row in numbered)
    full = [(number, row + ("",) * (width - len(row))) for number, row in numbered]
    used = [index for index in range(width) if any(row[index] for _, row in full)]
    if n_above := headers.count_above([[row[index] for index in used] for _, row in full[:TRIED]]):
        notices = [*notices, Notice("title", "", 1, headers.describe_above(full[:n_above], path.name, "row"))]
    (first_line, header), *below = full[n_above:]
    columns = [list(column) for column in zip(*(row for _, row in below), strict=True)] or [[] for _ in header]
    numbers = [number for number, _ in below]
    filled = _fill_merged(columns, numbers, merged)
    if filled:
        text = f"{path.name}: cells are merged ({', '.join(filled[:3])}): the value of each counts for all its rows"
        notices = [*notices, Notice("merged", "", first_line, text)]
    unseen = sorted(set(hidden) & set(numbers))
    if unseen:
        text = (
            f"{path.name}: {len(unseen)} of {len(numbers)} rows are hidden in Excel, by a filter or by hand (the first is row "
            f"{unseen[0]}); they are read like the others. Delete them if they are not to count"
        )
        notices = [*notices, Notice("hidden", "", unseen[0], text)]
    kept = [index for index in used if header[index] or any(columns[index])]
    unnamed = [index for index in kept[1:] if not header[index]]
    if unnamed and merged:
        raise DataError(
            f"{path}: row {first_line} leaves column {unnamed[0] + 1} without a name, and cells are merged ({merged[0]}); write "
            "one row with a name in each column, and a value in each cell"
        )
    lines = np.array(numbers, dtype=np.int32)
    names, cells = [header[index] for index in kept], [columns[index] for index in kept]
    return Cells(names, cells, lines, first_line, "", "row", notices)


def _fill_merged(columns: list[list[str]], numbers: list[int], merged: list[str]) -> list[str]:
    """Write the value of a cell that is merged over several rows into all of them; return which were."""
    from openpyxl.utils import range_boundaries

    position = {number: row for row, number in enumerate(numbers)}
    filled = []
    for reference in merged:
        left, top, right, bottom = range_boundaries(reference)
        rows = [position[number] for number in range(top, bottom + 1) if number in position]
        if top in position and bottom > top and left == right and left <= len(columns):
            for row in rows:
                columns[left - 1][row] = columns[left - 1][position[top]]
            filled.append(reference)
    return filled


def _layout(data: bytes, sheet: str) -> tuple[list[str], list[int]]:
    """Return what a sheet's cells do not tell: which are merged, such as A1:C1 from the top, and the hidden rows.

    openpyxl knows both only of a workbook that it holds whole, in much more memory, so that one is opened where there are any.
    """
    import openpyxl

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        if not any(re.search(rb'<mergeCell |<row [^>]*hidden="(?:1|true)"', archive.read(name)) for name in parts):
            return [], []
    whole = openpyxl.load_workbook(io.BytesIO(data), data_only=True)[sheet]
    merged = sorted(whole.merged_cells.ranges, key=lambda area: (area.min_row, area.min_col))
    hidden = sorted(number for number, row in whole.row_dimensions.items() if row.hidden)
    return [area.coord for area in merged], hidden


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
        values = table[name].to_pylist()
        if pa.types.is_duration(kind):
            values = [None if value is None else value.total_seconds() for value in values]
        columns.append(_texts(values, float32=pa.types.is_float32(kind)))
    return _of_columns([name.strip() for name in names], columns, [])


def _texts(values: list[Any], float32: bool = False) -> list[str]:
    """Return a column's values as texts; of numbers with fractions every one keeps its decimal point."""
    known = [value for value in values if isinstance(value, float) and value == value]
    if known and not all(value.is_integer() for value in known):
        cast = np.float32 if float32 else float
        return ["" if value is None or value != value else str(cast(value)) for value in values]
    return list(map(to_text, values))


def is_arff(data: bytes) -> bool:
    """Return whether the first line that is no comment declares a relation, as in ARFF."""
    lines = (line.strip() for line in data[: 1 << 16].removeprefix(b"\xef\xbb\xbf").splitlines())
    first = next((line for line in lines if line and not line.startswith(b"%")), b"")
    return first.lower().startswith((b"@relation", b"@attribute"))


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
