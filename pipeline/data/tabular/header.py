"""Whether the first row of a table is a header or already a sample, and which rows stand above the header."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from pipeline.data.tabular.cells import Column
from pipeline.data.tabular.missing import ALWAYS

NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
INSPECTED = 1000  # rows
MOSTLY = 0.95  # of a column's known cells, from which it is one of numbers
FEWEST = 10  # rows, from which it counts that a word of the first row is found again
MOSTLY_FOUND = 0.8  # of the columns of repeating words
MOST_ABOVE = 15  # rows above a header
FEWEST_BELOW = 5  # rows, from which on it counts that a word of the header is found again
LONG = 6  # columns, from which numbers that only rise are no accident


def is_number_like(cell: str) -> bool:
    """Return whether a cell is a number, with a decimal point or comma."""
    return bool(NUMBER.fullmatch(cell))


def number_columns(columns: Sequence[Column]) -> list[int]:
    """Return the positions of the columns in whose first rows nearly all known cells are numbers."""
    names = []
    for index, column in enumerate(columns):
        known = [cell for cell in column[:INSPECTED] if cell.lower() not in ALWAYS]
        if known and sum(map(is_number_like, known)) >= MOSTLY * len(known):
            names.append(index)
    return names


def lacks_header(first: Sequence[str], columns: Sequence[Column]) -> bool:
    """Return whether the first row of a table looks like a sample rather than a header.

    A header has words where the column below has numbers: a single one settles it. Where it has numbers only, these are
    names if they are a sequence (0, 1, 2; 2019, 2020, 2021; wavelengths) which the rows below are not. Where there is no
    column of numbers, or the numbers are few, it counts whether the first row's words are values of their columns.

    Parameters
    ----------
    first
        The cells of the first row.
    columns
        The cells of the rows below, by column.

    Returns
    -------
    bool
        False where it cannot be told.
    """
    if not columns or not len(columns[0]):
        return False
    numbers = number_columns(columns)
    named = [first[index] for index in numbers if not _is_value(first[index])]
    if named or not any(first):
        return False
    found_again, never_found = _words(first, columns, set(numbers))
    if not numbers:
        n_words = found_again + never_found
        return len(columns[0]) >= FEWEST and found_again >= max(1, MOSTLY_FOUND * n_words)
    values = [first[index] for index in numbers]
    if not any(map(is_number_like, values)) or _is_sequence(values, [columns[index] for index in numbers]):
        return False
    if len(numbers) <= 2 and never_found:
        return found_again > 0
    return True


def _is_value(cell: str) -> bool:
    """Return whether a cell in the first row of a column of numbers may be a value of it."""
    return cell.lower() in ALWAYS or is_number_like(cell)


def _words(first: Sequence[str], columns: Sequence[Column], numbers: set[int]) -> tuple[int, int]:
    """Count the columns of repeating words in which the first row has one of the values, and those in which it has not."""
    found_again = never_found = 0
    for index, column in enumerate(columns):
        if index in numbers or not first[index]:
            continue
        counts = Counter(column[: 10 * INSPECTED])
        if first[index] in counts:
            found_again += 1
        elif len(counts) <= len(column) / 2:
            never_found += 1
    return found_again, never_found


def _is_sequence(values: Sequence[str], columns: Sequence[Column]) -> bool:
    """Return whether numbers that stand where names should are names: a sequence, which the rows below are not."""
    try:
        numbers = [float(value.replace(",", ".")) for value in values]
    except ValueError:  # a value is missing
        return False
    if not _rises(numbers):
        return False
    if len(numbers) < 3:
        whole = all(value.isdigit() for value in values)
        return whole and (numbers[0] in (0, 1) or all(1800 <= x <= 2200 for x in numbers)) and _step(numbers) <= 1
    step = _step(numbers)
    if step == 0 and len(numbers) < LONG:
        return False
    rows = list(zip(*(column[:INSPECTED] for column in columns), strict=True))
    return sum(_row_rises(row, evenly=step > 0) for row in rows) <= len(rows) / 20


def _step(numbers: Sequence[float]) -> float:
    """Return the step of a sequence with equal steps, 0 of any other."""
    steps = [b - a for a, b in pairwise(numbers)] or [1.0]
    return steps[0] if max(steps) - min(steps) <= 1e-6 * abs(steps[0]) else 0.0


def _rises(numbers: Sequence[float]) -> bool:
    return all(a < b for a, b in pairwise(numbers))


def _row_rises(row: Sequence[str], evenly: bool) -> bool:
    """Return whether a row's numbers rise, `evenly` by equal steps."""
    try:
        numbers = [float(cell.replace(",", ".")) for cell in row]
    except ValueError:
        return False
    return _rises(numbers) and (not evenly or _step(numbers) > 0)


def fits(row: Sequence[str], n_columns: int, numbers: Sequence[int]) -> bool:
    """Return whether cells could be a row of a table of which `numbers` are the positions of the columns of numbers."""
    if len(row) != n_columns or n_columns < 2:
        return False
    if not numbers:
        return n_columns > 2
    return all(_is_value(row[index].strip().strip('"')) for index in numbers)


def count_above(rows: Sequence[Sequence[str]]) -> int:
    """Return how many of the first rows stand above the header.

    A comment begins with #. A title or the upper row of two leaves cells empty; the header below it names every column, in words
    that its column does not hold.

    Parameters
    ----------
    rows
        The cells of the first rows that are not empty.

    Returns
    -------
    int
        0 where the first row is the header, or it cannot be told.
    """
    if len(rows) < 3:
        return 0
    width = Counter(map(len, rows)).most_common(1)[0][0]
    n_comments = 0
    while n_comments < len(rows) - 1 and _is_comment(rows[n_comments], width):
        n_comments += 1
    for above in range(n_comments, min(MOST_ABOVE, len(rows) - 1)):
        row = rows[above]
        if len(row) == width and all(cell.strip() for cell in row):
            names_columns = above > n_comments and _is_header(row, [r for r in rows[above + 1 :] if len(r) == width])
            return above if names_columns else n_comments
    return n_comments


def _is_comment(row: Sequence[str], width: int) -> bool:
    """Return whether a row is a comment rather than a header whose first name begins with #."""
    return row[0].lstrip().startswith("#") and not (len(row) == width > 1 and all(cell.strip() for cell in row))


def _is_header(row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Return whether a full row names the columns below it, of which its words are no values."""
    names = [cell.strip() for cell in row]
    if len(set(names)) < len(names) or any(map(is_number_like, names)) or not below:
        return False
    columns = [{cell.strip() for cell in column} for column in zip(*below, strict=True)]
    has_numbers = any(all(is_number_like(cell) for cell in cells if cell) and cells != {""} for cells in columns)
    if not has_numbers and len(below) < FEWEST_BELOW:
        return False
    return not any(name in cells for name, cells in zip(names, columns, strict=True))


def describe_above(above: Sequence[tuple[int, Sequence[str]]], name: str, row_name: str) -> str:
    """Return what is said of the rows (number, cells) that are left out above a header."""
    number, row = above[0]
    text = " ".join(cell.strip() for cell in row if cell.strip())[:60]
    more = f" and {len(above) - 1} more above the header" if len(above) > 1 else ""
    verb = "are" if more else "is"
    return f"{name}: {row_name} {number} ({text}){more} {verb} no header and left out; the next {row_name} names the columns"
