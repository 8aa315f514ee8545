"""The rows of a file to predict, with numbers read as in training."""

from pathlib import Path
from typing import Any

from pipeline.core.errors import DataError
from pipeline.data.tabular.files import TableFile
from pipeline.data.tabular.formats import ColumnFormat, Field, Source
from pipeline.data.tabular.learning import learn
from pipeline.data.tabular.missing import is_missing
from pipeline.data.tabular.numbers import is_plain
from pipeline.data.tabular.values import DECIMAL_COMMA


def rows_of(file: TableFile, fields: list[Field]) -> list[dict[str, Any]]:
    """Return the rows of a file to predict, a dict by column name each.

    A column's numbers are read as in training. What cannot be is read as the file is written where that is certain: with a
    decimal comma where the semicolon separates, with a decimal point where the comma does. All else stays text.
    """
    columns: dict[str, list[Any]] = {name: file.table[name].tolist() for name in file.table}
    for field in fields:
        if field.is_number and field.name in columns:
            cells = columns[field.name]
            form = field.number_format
            known = {cell: _read(cell, form, file.separator) for cell in set(cells)}
            if file.separator == ";" and form.is_usual and (own := _point_parts_thousands(file, field.name)):
                known = {cell: own.canonical(cell) or cell for cell in known}
            columns[field.name] = [known[cell] for cell in cells]
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _read(cell: str, form: ColumnFormat, separator: str) -> str | float:
    """Return a cell as a number where it was written so that `to_number` could not tell, else as text."""
    if is_missing(cell):
        return cell
    plain = form.canonical(cell)
    if plain is None and separator == ";" and DECIMAL_COMMA.fullmatch(cell):
        plain = cell.replace(",", ".")
    if plain is None and separator == "," and is_plain(cell):
        plain = cell
    if plain is None:
        return cell
    return plain if form.is_usual else float(plain)


def _point_parts_thousands(file: TableFile, name: str) -> ColumnFormat | None:
    """Return the format of a column whose points part thousands, None for any other."""
    source = Source(Path(), file.lines, file.row_name, file.separator)
    try:
        form = learn(file.table, source).formats[name]
    except DataError:
        return None
    return form if form.kind == "number" and form.thousands == "." else None
