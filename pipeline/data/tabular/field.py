"""A column of a table as a form and a prediction need to know it: one entry of a bundle's `schema`."""

from dataclasses import dataclass, field, replace
from typing import Literal

from pipeline.core.artifacts import JSON
from pipeline.data.tabular.formats import ColumnFormat


@dataclass(frozen=True)
class Field:
    """A column, learnt from the training data.

    Attributes
    ----------
    default
        The median of numbers, the most frequent category; None where every training value is missing.
    unit
        Of a number; "" where none is known.
    format
        How the column was written in training.
    min, max
        Of a number; None where every training value is missing.
    values
        Of a number with few whole values: these.
    choices
        Of a category: the values in training; None in a bundle of an older version.
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
        """Return the content of bundle.json; what a column has not is left out."""
        content: JSON = {"name": self.name, "type": self.type, "default": self.default}
        content |= {"min": self.min, "max": self.max} if self.is_number else {"choices": self.choices}
        content |= {"values": self.values} if self.values else {}
        content |= {"unit": self.unit} if self.unit else {}
        return content | ({} if self.format.is_usual else {"format": self.format.to_json()})

    @classmethod
    def fields_of_json(cls, content: JSON) -> JSON:
        """Return the content of bundle.json with the kind of the format, which is that of the column."""
        return content | {"format": {"kind": content["type"]} | content.get("format", {})}
