"""What a reader reports about a table that it could read."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Notice:
    """One finding about a table.

    Attributes
    ----------
    kind
        What it is about, for programs: `encoding`, `separator`, `sheet`, `unnamed`, `names`, `number`, `odd cell`,
        `category`, `code`, `unit`, `range`, `date`, `missing` or `label`.
    column
        The column's name, "" where it concerns the file.
    line
        The line of the file (of a worksheet the row), counted from 1; 0 where it concerns no single line.
    text
        One or two sentences, which name column and line themselves.
    """

    kind: str
    column: str
    line: int
    text: str

    def __str__(self) -> str:
        return self.text
