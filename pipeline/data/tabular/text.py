"""Cells of a delimited text: which sign separates them, and where a quote is not closed."""

import csv
import itertools
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.core.errors import DataError
from pipeline.data.tabular import header as headers
from pipeline.data.tabular.cells import INDEX, Cells, Notice, Suspect
from pipeline.data.tabular.encoding import find_encoding, open_lines
from pipeline.data.tabular.header import is_number_like
from pipeline.data.tabular.regular import read_regular

if TYPE_CHECKING:
    from _csv import Reader

SEPARATORS = ",;\t|"
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank"}
SEPARATOR_LINE = re.compile(r"\s*\"?sep=(.)\"?\s*", re.IGNORECASE)  # what Excel writes and reads
INVISIBLE = re.compile(
    rb"\xef\xbb\xbf|\xe2\x80\x8b|\xe2\x81\xa0"
)  # marks within files that were put together: no part of a cell
TRIED = 100  # lines by which the separator is judged
FOOTER = 20  # lines at most
CHUNK = 1_000  # rows converted to columns at once
END = "\x01end"  # no text has it: a record that comes last unless a quote is open


def read_text(data: bytes, path: Path) -> Cells:
    """Return the cells of a delimited text; raise DataError where a row has another length or a quote is not closed."""
    encoding, notices = find_encoding(data, path)
    if encoding.startswith("utf-8") and not data.isascii():
        data = data[:3] + INVISIBLE.sub(b"", data[3:])
    numbered = [
        (number, line)
        for number, line in enumerate(itertools.islice(open_lines(data, encoding), 10 * TRIED), start=1)
        if line.strip()
    ][:TRIED]
    named = SEPARATOR_LINE.fullmatch(numbered[0][1]) if numbered else None
    n_skipped = numbered.pop(0)[0] if named else 0
    first = [line for _, line in numbered]
    separator = named[1] if named else _find_separator(first)
    rows = [split_line(_one_blank(line) if separator == " " else line, separator) for line in first]
    if n_above := headers.count_above(rows):
        n_skipped = numbered[n_above - 1][0]
        above = [(number, row) for (number, _), row in zip(numbered[:n_above], rows, strict=False)]
        notices = [*notices, Notice("title", "", 1, headers.describe_above(above, path.name, "line"))]
    before, after = _unnamed_columns(rows[n_above:])
    names = rows[n_above] if rows else []
    quote = "'" if names and all(len(name) > 2 and name[0] == name[-1] == "'" for name in names) else '"'

    def open_reader() -> "Reader":
        lines: Iterator[str] = itertools.chain(open_lines(data, encoding), [f"{END}\n"])
        lines = itertools.islice(lines, n_skipped, None)
        if separator == " ":
            lines = map(_one_blank, lines)
        return csv.reader(lines, delimiter=separator, quotechar=quote, skipinitialspace=separator == " ")

    cells = None if before or after else read_regular(data, encoding, separator, n_skipped, quote)
    if cells is None:
        cells = _Parser(open_reader(), separator, n_skipped, path, before, after).read()
    return replace(cells, separator=separator, notices=notices)


def _one_blank(line: str) -> str:
    return re.sub(r"[ \t]+", " ", line.lstrip())


def _unnamed_columns(rows: list[list[str]]) -> tuple[list[str], list[str]]:
    """Return the names that a header lacks before and behind its own, where every row below has one cell more.

    R writes row names without a name; some programs end each row with a separator.
    """
    below = rows[1:-1]  # the last line may be cut, or a footer
    if len(below) < 2 or any(len(row) != len(rows[0]) + 1 for row in below):
        return [], []
    if not any(row[-1].strip() for row in below):
        return [], [""]
    return ([INDEX], []) if len({row[0] for row in below}) == len(below) else ([], [])


def _shared(cells: Sequence[str]) -> Iterable[str]:
    """Return cells of which equal ones are one object, where a tenth of them are equal to others: less memory."""
    return map(sys.intern, cells) if len(set(cells)) <= 0.9 * len(cells) else cells


def split_line(line: str, separator: str) -> list[str]:
    """Return the cells of one line."""
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def _find_separator(lines: list[str]) -> str:
    """Return the sign that separates the cells: the one that parts the first line most, if it parts the others alike.

    Lines are parsed, not counted: a quoted name may contain a separator. Blanks count only where there is no other sign.
    """
    if not lines:
        return ","
    n_cells = {sign: len(split_line(lines[0], sign)) for sign in SEPARATORS}
    order = sorted(SEPARATORS, key=lambda sign: -n_cells[sign])  # stable: the comma before the others
    if n_cells[order[0]] > 1:
        even = [sign for sign in order if n_cells[sign] > 1 and _is_even(lines, sign)]
        if even:
            return even[0]
    for n_above in range(
        1, min(headers.MOST_ABOVE, len(lines) - 2)
    ):  # titles and comments are parted otherwise, or not at all
        below = lines[n_above:]
        for sign in SEPARATORS:
            names = split_line(below[0], sign)
            if len(names) > 1 and not any(map(is_number_like, names)) and _is_even(below, sign):
                return sign
    if n_cells[order[0]] > 1:
        return order[0]
    widths = {len(line.split()) for line in lines[1:]}
    is_even = len(widths) == 1 and len(lines[0].split()) in (max(widths), max(widths) - 1)  # R's rows have a name more
    return " " if is_even and max(widths) > 1 else order[0]


def _is_even(lines: list[str], separator: str) -> bool:
    """Return whether a separator parts all lines into as many cells as the first."""
    try:
        rows = [row for row in csv.reader(lines, delimiter=separator) if any(map(str.strip, row))]
    except csv.Error:
        return False
    last_may_be_cut = rows[:-1] if len(lines) == TRIED else rows
    return len({len(row) for row in last_may_be_cut}) <= 1


class _Parser:
    """Reads records, with the line where each begins."""

    def __init__(
        self, reader: "Reader", separator: str, n_skipped: int, path: Path, before: list[str], after: list[str]
    ):
        self.reader, self.separator, self.n_skipped, self.path = reader, separator, n_skipped, path
        self.before, self.after = before, after
        self.suspects: list[Suspect] = []
        self.last = n_skipped  # the last line that was read

    def read(self) -> Cells:
        """Return all cells by column."""
        records = self._records()
        first_line, header = next(records, (1, []))
        header = [*self.before, *header, *self.after] if header else header
        columns: list[list[str]] = [[] for _ in header]
        starts: list[int] = []
        while chunk := list(itertools.islice(records, CHUNK)):
            starts += [start for start, _ in chunk]
            rows = [row for _, row in chunk]
            if set(map(len, rows)) != {len(header)}:
                self._refuse_length(chunk, len(header))
            for column, cells in zip(columns, zip(*rows, strict=True), strict=True):
                column += self._clean(cells)
        header = [name.strip() for name in header]
        lines = np.array(starts, dtype=np.int32)
        return Cells(header, columns, lines, first_line, self.separator, "line", [], self.suspects)

    def _clean(self, cells: Sequence[str]) -> Iterable[str]:
        """Return cells stripped, with \\n for every line end."""
        cells = list(map(str.strip, cells))
        if self.suspects:
            cells = [cell.replace("\r\n", "\n").replace("\r", "\n") for cell in cells]
        return _shared(cells)

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (first line, cells) of each record that is not empty; raise DataError where a quote is still open."""
        last, n_skipped, reader = self.last, self.n_skipped, self.reader
        try:
            for row in reader:
                start, last = last + 1, reader.line_num + n_skipped
                self.last = last
                if not row or not (row[0].strip() or any(map(str.strip, row))):
                    continue
                if row == [END]:
                    break
                if row[-1].endswith(f"{END}\n"):
                    self._refuse_open_quote(start, row)
                if last > start:
                    self._note_suspect(start, last, row)
                yield start, row
        except csv.Error as error:
            if reader.line_num + n_skipped > last + 1:
                raise DataError(
                    f"{self.path}: a quote that opens in line {last + 1} is not closed within "
                    f"{csv.field_size_limit():,} characters; close it, or double it where it stands for inches"
                ) from None
            raise DataError(f"{self.path}: line {last + 1} is not CSV ({error})") from None

    def _refuse_open_quote(self, start: int, row: list[str]) -> None:
        opens = start + sum(cell.count("\n") for cell in row[:-1])
        begins = row[-1].split("\n")[0].strip()[:40]
        raise DataError(
            f"{self.path}: line {opens}: a quote opens before {begins!r} and is never closed, so that the rows below it "
            f'would be one cell; close the quote, or write it doubled inside quotes ("")'
        )

    def _note_suspect(self, start: int, last: int, row: list[str]) -> None:
        """Keep what may be rows that an unclosed quote has swallowed."""
        opens = start
        for index, cell in enumerate(row):
            parts = cell.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            if len(parts) > 1:
                inner = [split_line(part, self.separator) for part in parts[1:-1]]
                tail = split_line(parts[-1], self.separator) + row[index + 1 :]
                self.suspects.append(Suspect(opens, opens + len(parts) - 1, index, [*inner, tail]))
                opens += len(parts) - 1

    def _refuse_length(self, chunk: list[tuple[int, list[str]]], n_columns: int) -> None:
        start, row = next((start, row) for start, row in chunk if len(row) != n_columns)
        swallowed = next((cell for cell in self.suspects if cell.opens >= start), None)
        where = f"{self.path}: line {start} has {len(row)} cells; the header has {n_columns}"
        if swallowed and swallowed.opens < start + sum(cell.count("\n") for cell in row) + 1:
            raise DataError(
                f"{where}. A quote opens in line {swallowed.opens} and closes in line {swallowed.closes}: "
                "close it in its own line, or double it inside quotes"
            )
        below = [cells for number, cells in chunk if number >= start]
        below += [cells for _, cells in itertools.islice(self._records(), FOOTER)]
        if len(below) <= FOOTER and all(sum(bool(cell.strip()) for cell in cells) == 1 for cells in below):
            lines = (
                "It is the last line" if len(below) == 1 else f"It is the first of {len(below)} such lines at the end"
            )
            raise DataError(f"{where}. {lines}: if it is a footer ({row[0].strip()[:40]!r}), delete it")
        if row[0].lstrip().startswith("#"):
            raise DataError(f"{where}. It begins with #, as a comment does: delete it")
        raise DataError(f"{where}. Is a {NAMES.get(self.separator, 'separator')} in an unquoted text?")
