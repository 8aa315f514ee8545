"""Read a text without quotes, in which every line is a row of equal length, by pandas' parser; equal cells are one object."""

import csv
import io
import re

import numpy as np
import pandas as pd

from pipeline.data.tabular.cells import Cells

CODECS = (
    "utf-8",
    "utf-8-sig",
    "cp1252",
)  # in which a separator or line end is a single byte, and no part of another sign


def read_unquoted(data: bytes, encoding: str, separator: str, n_skipped: int, tight: bool) -> Cells | None:
    """Return the cells of a text below its first `n_skipped` lines, None where it has to be parsed sign by sign.

    `tight`: no cell begins or ends with white space.
    """
    if encoding not in CODECS or b'"' in data or len(separator.encode()) > 1 or separator == " ":
        return None
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
        if b"\r" in data:
            return None
    start = 0
    for _ in range(n_skipped):
        start = data.index(b"\n", start) + 1
    body = data[start:].rstrip(b"\n")
    width = _width(body, separator)
    if not width:
        return None
    table = pd.read_csv(
        io.BytesIO(body), sep=separator, header=None, dtype=object, na_filter=False, quoting=csv.QUOTE_NONE, encoding=encoding,
        skip_blank_lines=False, low_memory=False,
    )  # fmt: skip
    columns = [table[index].tolist() for index in range(width)]
    if not tight:
        columns = [list(map(str.strip, column)) for column in columns]
    header = [column.pop(0).strip() for column in columns]
    empty = [row for row, cell in enumerate(columns[0]) if not cell]
    if not any(header) or any(not any(column[row] for column in columns) for row in empty):
        return None  # rows that are empty throughout are no rows
    n_rows = len(columns[0])
    return Cells(header, columns, np.arange(2 + n_skipped, 2 + n_skipped + n_rows, dtype=np.int32), 1 + n_skipped)


def _width(body: bytes, separator: str) -> int:
    """Return into how many cells every line of a text is parted, 0 where they differ or there are no two lines."""
    signs = np.frombuffer(body, np.uint8)
    kinds = signs[(signs == ord(separator)) | (signs == ord("\n"))]
    if b"\n\n" in body or body.startswith(b"\n") or b"\n" not in body:
        return 0
    width = int((kinds == ord("\n")).argmax()) + 1
    if (len(kinds) + 1) % width:
        return 0
    ends = np.append(kinds, ord("\n")).reshape(-1, width) == ord("\n")
    return width if ends[:, -1].all() and not ends[:, :-1].any() else 0


def is_tight(data: bytes, separator: str) -> bool:
    """Return whether no cell can begin or end with white space: stripping two million cells takes half a second."""
    if not data.isascii() or separator.isspace():
        return False
    if not any(blank in data for blank in (b" ", b"\t", b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e", b"\x1f")):
        return True
    edge = rb'[\n\r"' + re.escape(separator.encode()) + b"]"
    blank = rb"[ \t\x0b\x0c\x1c-\x1f]"
    return not re.search(rb"(?:%b%b|%b%b)" % (edge, blank, blank, edge), data)
