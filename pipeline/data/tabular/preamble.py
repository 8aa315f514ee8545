"""Rows above the header: titles, comments and the upper row of a header of two rows. They are left out and reported."""

from collections import Counter
from collections.abc import Sequence

from pipeline.data.tabular.header import is_number_like

MOST = 15  # rows above a header
FEWEST_BELOW = 5  # rows, from which on it counts that a word of the header is found again


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
    for above in range(n_comments, min(MOST, len(rows) - 1)):
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


def describe(above: Sequence[tuple[int, Sequence[str]]], name: str, row_name: str) -> str:
    """Return what is said of the rows (number, cells) that are left out above a header."""
    number, row = above[0]
    text = " ".join(cell.strip() for cell in row if cell.strip())[:60]
    more = f" and {len(above) - 1} more above the header" if len(above) > 1 else ""
    verb = "are" if more else "is"
    return f"{name}: {row_name} {number} ({text}){more} {verb} no header and left out; the next {row_name} names the columns"
