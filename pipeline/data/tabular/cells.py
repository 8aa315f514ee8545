"""What the readers of all formats return: the first row, the cells below it by column, and what they report."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

Column = Sequence[str] | np.ndarray  # cells as text, object in an array
INDEX = "Unnamed: 0"  # what pandas calls a first column without a name


@dataclass(frozen=True)
class Notice:
    """One finding about a table.

    Attributes
    ----------
    kind
        What it is about, for programs: `encoding`, `separator`, `sheet`, `title`, `merged`, `hidden`, `unnamed`, `names`,
        `number`, `odd cell`, `category`, `code`, `unit`, `range`, `date`, `missing` or `label`.
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


@dataclass
class Cells:
    """The first row, and the cells of those below by column, all stripped.

    `lines` has the line of the file where each row begins, `first_line` that of the first row. `separator` is what stands
    between cells, "" where the file is no text. `row_name` is what a row is called in messages. `suspects` are the quoted cells
    of several lines, see `Suspect`.
    """

    header: list[str]
    columns: Sequence[Column]
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
