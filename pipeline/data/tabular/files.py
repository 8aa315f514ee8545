"""The one way from a file to a table of text: CSV in any dialect, Excel, Parquet or ARFF, told by the bytes, not the name."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from pipeline.core.errors import DataError
from pipeline.data.tabular import header as headers
from pipeline.data.tabular.cells import INDEX, Cells, Notice, Suspect
from pipeline.data.tabular.text import read_text
from pipeline.data.tabular.typed_files import is_arff, read_arff, read_excel, read_parquet
from pipeline.data.tabular.wrappings import check_format, unpacked

SUFFIXES = (".csv", ".tsv", ".txt", ".data", ".xlsx", ".xlsm", ".parquet", ".pq", ".arff")
Header = Literal["first", "none"]
ONE_COLUMN = ",;\t|^~:"
ZERO_WIDTH = re.compile("[\u200b-\u200d\u2060\ufeff]")
FOOTER = re.compile(
    r"(?i)(?:totals?|sum|mean|average|median|count|source|notes?|generated|end of|summe|gesamt|mittelwert|quelle|stand|"
    r"somme|moyenne|suma|promedio|media|fuente|totale?)\b|n\s*=\s*\d"
)


@dataclass(frozen=True)
class TableFile:
    """A table as it stands in its file.

    Attributes
    ----------
    table
        The cells as text (object), stripped, "" where empty; a column for each name of the header.
    lines
        For each row the line of the file where it begins, int32 (n,); rows are counted instead where a file has no lines.
    row_name
        What that number is: "line" or "row".
    separator
        The sign between cells, "" where the file is no text.
    notices
        What was found out while reading.
    """

    table: pd.DataFrame
    lines: np.ndarray
    row_name: str = "line"
    separator: str = ""
    notices: list[Notice] = field(default_factory=list)


def read_table(path: Path, data: bytes | None = None, header: Header = "first") -> TableFile:
    """Read a table from a file of any known format.

    Parameters
    ----------
    path
        The file; only named in messages where `data` is given.
    data
        The file's bytes.
    header
        "first" where the first row names the columns, "none" where there are no names: then they are column_1, column_2 ...

    Returns
    -------
    TableFile
        The cells as they are, with the line of each row and what was found out.

    Raises
    ------
    DataError
        Where the file is no table, a quote is not closed, a row has another length, the header lacks or repeats a name, or
        the first row looks like a sample.
    """
    cells = _read_cells(path.read_bytes() if data is None else data, path)
    cells = replace(cells, header=[ZERO_WIDTH.sub("", name).strip() for name in cells.header])
    _check_footer(cells, path)
    if header == "none" and cells.first_line > 0:
        cells = _without_names(cells)
    _check_quotes(cells, path)
    _check_one_column(cells, path)
    _check_first_row(cells, path)
    return _to_table(cells, path)


def _without_names(cells: Cells) -> Cells:
    """Return the cells with the first row as a sample and columns called column_1, column_2 and so on."""
    columns = [[name, *column] for name, column in zip(cells.header, cells.columns, strict=True)]
    lines = np.concatenate([[cells.first_line], cells.lines]).astype(np.int32)
    names = [f"column_{number}" for number in range(1, len(columns) + 1)]
    return replace(cells, header=names, columns=columns, lines=lines, first_line=0)


def _to_table(cells: Cells, path: Path) -> TableFile:
    """Return the table of cells that were checked; raise DataError where there are no rows, or names lack or repeat."""
    if len(cells.header) > 1 and not cells.header[0] and len(set(cells.columns[0])) == len(cells.columns[0]) > 1:
        cells = replace(cells, header=[INDEX, *cells.header[1:]])  # pandas and R write an index without a name
    kept = [index for index, name in enumerate(cells.header) if name or any(cells.columns[index])]
    notices = list(cells.notices)
    if len(kept) < len(cells.header):
        text = f"{path.name}: {len(cells.header) - len(kept)} columns without a name or any value are left out"
        notices.append(Notice("unnamed", "", cells.first_line, text))
    names = [cells.header[index] for index in kept]
    check_header(names, path)
    if not names or not len(cells.columns[kept[0]]):
        raise DataError(f"{path}: has no rows; expected a header line and at least one row")
    table = pd.DataFrame({cells.header[index]: cells.columns[index] for index in kept}, dtype=object)
    return TableFile(table, cells.lines, cells.row_name, cells.separator, notices)


def _read_cells(data: bytes, path: Path) -> Cells:
    """Return the cells of a file whose format its bytes tell."""
    data = unpacked(data, path)
    if data.startswith(b"PK\x03\x04"):
        return read_excel(data, path)
    if data.startswith(b"PAR1"):
        return read_parquet(data, path)
    check_format(data, path)
    return read_arff(data, path) if is_arff(data) else read_text(data, path)


def _check_quotes(cells: Cells, path: Path) -> None:
    """Raise DataError where a quoted cell of several lines has swallowed lines that are rows of their own."""
    if not cells.suspects:
        return
    numbers = headers.number_columns(cells.columns)
    for suspect in cells.suspects:
        if _swallows(suspect, len(cells.header), numbers):
            column = cells.header[suspect.column]
            raise DataError(
                f"{path}: line {suspect.opens}: a quote opens in column {column!r} and closes only in line {suspect.closes}; "
                f"the lines between look like rows of their own. Close it in its line, or double it inside quotes"
            )


def _check_one_column(cells: Cells, path: Path) -> None:
    """Raise DataError where all of a line is one cell."""
    if len(cells.header) != 1:
        return
    for sign in ONE_COLUMN:
        n_signs = cells.header[0].count(sign)
        if n_signs and all(cell.count(sign) == n_signs for cell in cells.columns[0][:100]):
            raise DataError(
                f"{path}: each line is one cell ({cells.header[0][:40]!r}): the lines are quoted as a whole, or {sign!r} "
                "separates them. Save it with commas and without quotes around the lines"
            )


def _check_first_row(cells: Cells, path: Path) -> None:
    """Raise DataError where the first row looks like a sample, or another row repeats it."""
    if not cells.first_line:
        return
    names, firsts = cells.header, [column[0] for column in cells.columns if len(column)]
    lacking = headers.lacks_header(names, cells.columns)
    repeated = _row_like_header(cells)
    # Columns with a repeated header in them are like their header, as those without one are: here the first sample differs.
    differs = not any(map(headers.is_number_like, names)) and any(map(headers.is_number_like, firsts))
    if repeated is not None and (differs or not lacking):
        raise DataError(
            f"{path}: {cells.row_name} {cells.lines[repeated]} repeats the header, as where files were put together; delete it"
        )
    if lacking:
        shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
        raise DataError(
            f"{path}: has no header: the first row ({shown}) looks like a sample. Add a line with the columns' names, or "
            "read it with --no-header (read.header: none), which calls them column_1, column_2 and so on"
        )


def _row_like_header(cells: Cells) -> int | None:
    """Return the first row that holds the header again, None without one."""
    if len(cells.header) < 2 or not any(cells.header):
        return None
    key = next(index for index, name in enumerate(cells.header) if name)
    rows = (row for row, cell in enumerate(cells.columns[key]) if cell == cells.header[key])
    return next((row for row in rows if [column[row] for column in cells.columns] == list(cells.header)), None)


def _check_footer(cells: Cells, path: Path) -> None:
    """Raise DataError where the last row is a sum or a source rather than a sample."""
    if not cells.columns or len(cells.columns[0]) < 2 or len(cells.columns) < 3:
        return
    last = [column[-1] for column in cells.columns]
    filled = [cell for cell in last if cell]
    if len(filled) <= len(last) / 2 and FOOTER.match(filled[0] if filled else ""):
        raise DataError(
            f"{path}: {cells.row_name} {cells.lines[-1]} ({filled[0][:40]!r}, {len(last) - len(filled)} of {len(last)} cells "
            "empty) looks like a footer, not a sample; delete it"
        )


def _swallows(suspect: Suspect, n_columns: int, numbers: Sequence[int]) -> bool:
    return any(headers.fits(row, n_columns, numbers) for row in suspect.rows)


def check_header(header: list[str], path: Path) -> None:
    """Raise DataError where a column has no name, or two have the same."""
    if "" in header:
        raise DataError(f"{path}: column {header.index('') + 1} has no name in the header; name it or delete it")
    twice = sorted(name for name, count in Counter(header).items() if count > 1)
    if twice:
        raise DataError(f"{path}: the header names {', '.join(map(repr, twice))} more than once; rename all but one")
