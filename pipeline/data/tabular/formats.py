"""How the cells of a column are written, and what a form and a prediction know of it: learnt in training, kept in bundles."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pipeline.core.artifacts import JSON, Exact
from pipeline.data.tabular.missing import is_missing
from pipeline.data.tabular.numbers import NumberFormat, is_plain, range_ends

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
        For a column of ranges the number that each stands for.
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
        ends = range_ends(cell)
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
class Field:
    """A column, learnt from the training data: one entry of a bundle's `schema`.

    Attributes
    ----------
    default
        The median of numbers, the most frequent category; None where every training value is missing.
    unit
        For a number; "" where none is known.
    format
        How the column was written in training.
    min, max
        For a number; None where every training value is missing.
    values
        For a number with few whole values: these.
    choices
        For a category: the values in training; None in a bundle of an older version.
    missing
        Whether a training value was missing; None in a bundle of an older version.
    """

    name: str
    type: Literal["number", "choice"]
    default: float | str | None = None
    unit: str = ""
    format: ColumnFormat = field(default_factory=ColumnFormat)
    min: float | None = None
    max: float | None = None
    values: list[int] | None = None
    choices: list[str] | None = None
    missing: bool | None = None

    @property
    def is_required(self) -> bool:
        """Whether a sample needs a value: training never saw one without, and saw more than one value."""
        return self.missing is False and not self.is_constant

    @property
    def is_constant(self) -> bool:
        """Whether training saw one value only, from which nothing can be learnt: a missing one counts as it."""
        if self.is_number:
            return self.min is not None and self.min == self.max
        return self.missing is False and len(self.choices or []) == 1

    @property
    def is_number(self) -> bool:
        """Whether the column holds numbers."""
        return self.type == "number"

    @property
    def number_format(self) -> ColumnFormat:
        """How numbers to predict are written."""
        form = self.format
        return form if form.unit or form.middles else replace(form, unit=self.unit)

    def to_json(self) -> JSON:
        """Return the content of bundle.json; what a column has not is left out.

        Numbers are exact: of a column between 1e-9 and 2e-9, six decimals would make one that never varied.
        """
        content: JSON = {"name": self.name, "type": self.type, "default": self.default}
        if self.is_number:
            ends = {"default": self.default, "min": self.min, "max": self.max}
            content |= {key: end if end is None else Exact(end) for key, end in ends.items()}
        else:
            content["choices"] = self.choices
        content |= {"values": self.values} if self.values else {}
        content |= {"unit": self.unit} if self.unit else {}
        content |= {} if self.missing is None else {"missing": self.missing}
        return content | ({} if self.format.is_usual else {"format": self.format.to_json()})

    @classmethod
    def fields_of_json(cls, content: JSON) -> JSON:
        """Return the content of bundle.json with the kind of the format, which is that of the column."""
        return content | {"format": {"kind": content["type"]} | content.get("format", {})}


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
