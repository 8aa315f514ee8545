"""How the cells of one column are written: what is learnt in training and applied to each row to predict."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pipeline.core.artifacts import JSON
from pipeline.data.tabular import ranges
from pipeline.data.tabular.missing import is_missing
from pipeline.data.tabular.numbers import NumberFormat, is_plain

if TYPE_CHECKING:  # the app's first page reads bundles, and does not wait for numpy
    import numpy as np


Kind = Literal["number", "choice", "date"]


@dataclass(frozen=True)
class ColumnFormat:
    """How the cells of one column are written.

    Attributes
    ----------
    kind
        `number`, `choice` (a category) or `date`.
    decimal, thousands, unit, limits
        See `numbers.NumberFormat`; of a number.
    middles
        Of a column of ranges the number that each stands for.
    layouts
        Of dates the layout for strptime; two where day and month cannot be told apart.
    """

    kind: Kind = "number"
    decimal: str = "."
    thousands: str = ""
    unit: str = ""
    limits: bool = False
    middles: Mapping[str, float] = field(default_factory=dict)
    layouts: tuple[str, ...] = ()

    @property
    def is_usual(self) -> bool:
        """Return whether cells can be taken as they are: plain numbers or categories."""
        return self == ColumnFormat(self.kind) and self.kind != "date"

    def canonical(self, cell: str) -> str | None:
        """Return a cell as a plain number, or as it is where it is missing or no number is expected; None if unreadable."""
        if self.kind != "number" or is_missing(cell):
            return cell
        if self.middles:
            return self._middle(cell)
        return NumberFormat(self.decimal, self.thousands, self.unit, self.limits).plain(cell)

    def _middle(self, cell: str) -> str | None:
        ends = ranges.bounds(cell)
        if cell in self.middles or ends is None:
            return f"{self.middles[cell]:g}" if cell in self.middles else cell if is_plain(cell) else None
        return f"{sum(ends) / 2:g}" if all(map(math.isfinite, ends)) else None

    def to_json(self) -> JSON:
        """Return what differs from a plain column, for a bundle's schema."""
        usual = asdict(ColumnFormat(self.kind))
        content = {key: value for key, value in asdict(self).items() if value != usual[key]}
        return content | ({"layouts": list(self.layouts)} if self.layouts else {})

    @classmethod
    def from_json(cls, kind: Kind, content: JSON) -> "ColumnFormat":
        """Return the format that `to_json` wrote."""
        return cls(kind, **content | ({"layouts": tuple(content["layouts"])} if "layouts" in content else {}))


def to_json(formats: Mapping[str, ColumnFormat]) -> JSON:
    """Return the formats of those columns that are not plain, with their kind."""
    return {name: {"kind": form.kind} | form.to_json() for name, form in formats.items() if not form.is_usual}


def from_json(content: Mapping[str, JSON]) -> dict[str, ColumnFormat]:
    """Return the formats that `to_json` wrote."""
    return {
        name: ColumnFormat.from_json(form["kind"], {key: value for key, value in form.items() if key != "kind"})
        for name, form in content.items()
    }


@dataclass(frozen=True)
class Source:
    """Where a table comes from: the file, the line of each row, what a line is called there, and the sign between cells."""

    path: Path
    lines: "Sequence[int] | np.ndarray"
    row_name: str = "line"
    separator: str = ","

    def where(self, row: int) -> str:
        """Return "line 12" for the row at a position."""
        return f"{self.row_name} {self.lines[row]}"
