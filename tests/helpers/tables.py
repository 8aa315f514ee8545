"""Tables of text that tests of the readers share: read from bytes, or learnt column by column."""

import io
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.data.tabular.files import TableFile, read_table
from pipeline.data.tabular.formats import Source
from pipeline.data.tabular.learning import Learned, learn

NAMED = Path("t.csv")


def read(data: str | bytes, **options) -> TableFile:
    """Return the table file in some bytes."""
    return read_table(NAMED, data.encode() if isinstance(data, str) else data, **options)


def cells(data: str | bytes, **options) -> list[list[str]]:
    """Return header and rows."""
    table = read(data, **options).table
    return [list(table), *table.to_numpy().tolist()]


def to_excel(*sheets: list[list]) -> bytes:
    """Return a workbook with these sheets."""
    import openpyxl

    book = openpyxl.Workbook()
    for number, rows in enumerate(sheets):
        sheet = book.active if number == 0 else book.create_sheet(f"more{number}")
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def learnt(separator: str = ",", **columns: list[str]) -> Learned:
    """Return what is learnt of columns that stand in a file from line 2 on."""
    table = pd.DataFrame(columns, dtype=object)
    return learn(table, Source(NAMED, np.arange(2, len(table) + 2), "line", separator))


def column(cells: list[str], separator: str = ",", **others: list[str]) -> list[str]:
    """Return the cells of a column of numbers as they are read."""
    learnt_columns = learnt(separator, a=cells, **others)
    assert learnt_columns.formats["a"].kind == "number"
    return learnt_columns.table["a"].tolist()


def many(*cells: str) -> list[str]:
    """Return a column of 100 cells or more."""
    return list(cells) * (100 // len(cells) + 1)
