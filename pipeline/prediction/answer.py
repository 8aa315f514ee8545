"""The answer to one sample, as command line, app, API and MLflow show it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

import numpy as np

from pipeline.core.artifacts import JSON

Row = Mapping[str, Any]  # a table's row or clinical columns: a cell by column name, as it was given
# What all of them print or send, under the keys of the contract. A sample without an answer has an empty class and the reason.
Item = TypedDict(
    "Item",
    {
        "file": str,
        "class": str,
        "probabilities": dict[str, float],
        "decision": str,
        "refused": bool,
        "reason": str,
        # only where the bundle has one
        "warning": NotRequired[str],
    },
)


class Contribution(TypedDict):
    """What one column, with the value that was given, adds to the answer."""

    column: str
    value: Any
    contribution: float


@dataclass(frozen=True)
class OodScore:
    """How a sample compares with the training data (out-of-distribution score).

    `reason`: what is unusual about it, "" for nothing; with `is_refused` it gets no answer. `distance`: to the training data,
    1 where refusal begins. `components`, float64 (k,): its position along each direction or column (see `monitoring.histograms`).
    The latter two are None where the bundle refuses nothing. `new_categories`: columns whose category training never saw;
    `categories`: the other columns of categories, each with its value, "" where it is missing.
    """

    reason: str = ""
    is_refused: bool = False
    distance: float | None = None
    components: np.ndarray | None = None
    new_categories: tuple[str, ...] = ()
    categories: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Explanation:
    """What an answer rests on, by a method named `kind` in `prediction.explanation`.

    Images: `map`, rows of values from the top, and `png`, the image file with the map over it. Rows: `columns`, the largest
    contribution first. Images with clinical columns: all of them.
    """

    kind: str
    map: list[list[float]] | None = None
    png: bytes | None = None
    columns: list[Contribution] | None = None

    def to_json(self) -> JSON:
        """Return what there is, by name, with the image in base64."""
        image = None if self.png is None else base64.b64encode(self.png).decode()
        content = {"kind": self.kind, "map": self.map, "png": image, "columns": self.columns}
        return {name: value for name, value in content.items() if value is not None}


@dataclass(frozen=True)
class Prediction:
    """All that there is to know of one sample: `ood` is None where it cannot be read, `explanation` where there is no answer.

    `raw`: probabilities before calibration, float64 (n_classes,), None where it cannot be read.
    """

    item: Item
    ood: OodScore | None = None
    explanation: Explanation | None = None
    raw: np.ndarray | None = None


def refused(name: str, reason: str) -> Item:
    """Return the item of a sample that gets no answer."""
    return {"file": name, "class": "", "probabilities": {}, "decision": "", "refused": True, "reason": reason}
