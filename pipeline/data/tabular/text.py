"""Cells of a delimited text: which sign separates them, and where a quote is not closed."""

import csv
import itertools
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pipeline.core.errors import DataError
from pipeline.data.tabular.encoding import find_encoding, open_lines
from pipeline.data.tabular.notices import Notice

SEPARATORS = ",;\t|"
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank"}
SEPARATOR_LINE = re.compile(r"\s*\"?sep=(.)\"?\s*", re.IGNORECASE)  # what Excel writes and reads
TRIED = 100  # lines by which the separator is judged
CHUNK = 1_000  # rows converted to columns at once
END = "\x01end"  # no text has it: a record that comes last unless a quote is open


@dataclass
class Cells:
    """The first row, and the cells of those below by column, all stripped.

    `lines` has the line of the file where each row begins, `first_line` that of the first row. `separator` is what stands
    between cells, "" where the file is no text. `row_name` is what a row is called in messages. `suspects` are the quoted cells
    of several lines, see `text.Suspect`.
    """

    header: list[str]
    columns: list[list[str]]
    lines: np.ndarray
    first_line: int = 1
    separator: str = ""
    row_name: str = "line"
    notices: list[Notice] = field(default_factory=list)
    suspects: list["Suspect"] = field(default_factory=list)


@dataclass(frozen=True)
class Suspect:
    """A quoted cell of several lines that may be an unclosed quote: where it opens and closes, and each of its lines."""

    opens: int
    closes: int
    column: int
    rows: list[list[str]]


def read_text(data: bytes, path: Path) -> Cells:
    """Return the cells of a delimited text; raise DataError where a row has another length or a quote is not closed."""
    encoding, notices = find_encoding(data, path)
    first = [line for line in itertools.islice(open_lines(data, encoding), 10 * TRIED) if line.strip()][:TRIED]
    named = SEPARATOR_LINE.fullmatch(first[0]) if first else None
    separator = named[1] if named else _find_separator(first)
    n_skipped = 0
    if named:
        n_skipped = next(number for number, line in enumerate(open_lines(data, encoding), start=1) if line.strip())

    def open_reader() -> "csv._reader":
        lines: Iterator[str] = itertools.chain(open_lines(data, encoding), [f"{END}\n"])
        lines = itertools.islice(lines, n_skipped, None)
        if separator == " ":
            lines = (re.sub(r"[ \t]+", " ", line.lstrip()) for line in lines)
        return csv.reader(lines, delimiter=separator, skipinitialspace=separator == " ")

    is_tight = _is_tight(data, separator)
    cells = _read_regular(open_reader(), n_skipped, is_tight)
    if cells is None:
        cells = _Parser(open_reader(), separator, n_skipped, path, is_tight).read()
    return replace(cells, separator=separator, notices=notices)


def _read_regular(reader: "csv._reader", n_skipped: int, is_tight: bool) -> Cells | None:
    """Return the cells of a text in which every line is a row of equal length, None for any other; twice as fast as `_Parser`."""
    try:
        header = next(reader)
        if not any(map(str.strip, header)) or header == [END]:
            return None
        columns: list[list[str]] = [[] for _ in header]
        while rows := list(itertools.islice(reader, CHUNK)):
            if rows[-1] == [END]:
                rows.pop()
            if any(len(row) != len(header) or not (row[0].strip() or any(map(str.strip, row))) for row in rows):
                return None
            for column, cells in zip(columns, zip(*rows, strict=True), strict=False):
                column += _shared(cells if is_tight else list(map(str.strip, cells)))
    except (csv.Error, StopIteration):
        return None
    if reader.line_num != len(columns[0]) + 2:
        return None
    lines = np.arange(2 + n_skipped, 2 + n_skipped + len(columns[0]), dtype=np.int32)
    return Cells([name.strip() for name in header], columns, lines, 1 + n_skipped)


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
        return even[0] if even else order[0]
    widths = {len(line.split()) for line in lines}
    return " " if len(widths) == 1 and widths.pop() > 1 and len(lines) > 1 else order[0]


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

    def __init__(self, reader: "csv._reader", separator: str, n_skipped: int, path: Path, is_tight: bool):
        self.reader, self.separator, self.n_skipped, self.path = reader, separator, n_skipped, path
        self.is_tight = is_tight
        self.suspects: list[Suspect] = []
        self.last = n_skipped  # the last line that was read

    def read(self) -> Cells:
        """Return all cells by column."""
        records = self._records()
        first_line, header = next(records, (1, []))
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
        if not self.is_tight:
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
        is_last = (start, row) == chunk[-1] and next(self._records(), None) is None
        if is_last and sum(bool(cell.strip()) for cell in row) == 1:
            raise DataError(f"{where}. It is the last line: if it is a footer ({row[0].strip()[:40]!r}), delete it")
        raise DataError(f"{where}. Is a {NAMES.get(self.separator, 'separator')} in an unquoted text?")


def _is_tight(data: bytes, separator: str) -> bool:
    """Return whether no cell can begin or end with white space: stripping two million cells takes half a second."""
    if not data.isascii() or separator.isspace():
        return False
    if b" " not in data and not re.search(rb"[\t\x0b\x0c\x1c-\x1f]", data):
        return True
    edge = rb'[\n\r"' + re.escape(separator.encode()) + b"]"
    blank = rb"[ \t\x0b\x0c\x1c-\x1f]"
    return not re.search(rb"(?:%b%b|%b%b)" % (edge, blank, blank, edge), data)


def _shared(cells: Sequence[str]) -> Iterable[str]:
    """Return cells of which equal ones are one object, where a tenth of them are equal to others.

    For a list of 100,000 images that saves a third of the memory; for measurements with four digits it would cost as much time as
    reading does.
    """
    return map(sys.intern, cells) if len(set(cells)) <= 0.9 * len(cells) else cells
