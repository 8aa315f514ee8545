"""Classes that became known after a champion's answer: how they are sent, as JSON or CSV, and checked.

Each stands with the answer that it belongs to, because no answer is kept: `id`, by which the same one is not counted twice,
`label`, the class that became known, the `class` and the `probability` that were answered, and the `day` of the answer.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.core.errors import DataError

COLUMNS = ("id", "label", "class", "probability", "day")  # of a CSV, and `bundle`, which may be left out


@dataclass(frozen=True)
class Outcome:
    """The class of a sample, `label`, and what `bundle` answered on `day`: "" and None where it refused.

    `probability`: with two classes that of the positive one, with more that of the answer.
    """

    id: str
    bundle: str
    day: date
    label: str
    answer: str
    probability: float | None


def parse(rows: Sequence[Mapping[str, Any]], classes: Sequence[str], bundle: str, today: date) -> list[Outcome]:
    """Return the outcomes of some rows; raise DataError with the number of the first that is wrong, and why.

    `classes`: of the task (if two, the positive one last); `bundle`: the champion, whose answers they are where a row names none.
    """
    outcomes = []
    for number, row in enumerate(rows, start=1):
        try:
            outcomes.append(_outcome(row, classes, bundle, today))
        except DataError as error:
            raise DataError(f"outcome {number} of {len(rows)}: {error}; nothing was counted") from None
    return outcomes


def read_csv(text: str) -> list[dict[str, str]]:
    """Return the rows of a CSV with the columns `COLUMNS`; raise DataError where one is missing."""
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
    if missing:
        raise DataError(f"found the columns {reader.fieldnames}; expected {', '.join(COLUMNS)}")
    return [{str(name): value or "" for name, value in row.items() if name is not None} for row in reader]


def _outcome(row: Mapping[str, Any], classes: Sequence[str], bundle: str, today: date) -> Outcome:
    name, label, answer = (str(row.get(key) or "").strip() for key in ("id", "label", "class"))
    if not name:
        raise DataError("found no id; expected one, by which the outcome is not counted twice")
    if label not in classes:
        raise DataError(f"found the label {label!r}; expected {' or '.join(classes)}")
    if answer and answer not in classes:
        raise DataError(
            f"found the class {answer!r}; expected the answer, {' or '.join(classes)}, or '' where it was refused"
        )
    return Outcome(
        name,
        str(row.get("bundle") or bundle),
        _day(row.get("day"), today),
        label,
        answer,
        _probability(row, classes, answer) if answer else None,
    )


def _day(value: Any, today: date) -> date:
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        raise DataError(f"found the day {value!r}; expected that of the answer, such as {today}") from None
    if not 0 <= (today - day).days <= 400:
        raise DataError(f"found the day {value!r}; expected one of the last 400 days, until {today}")
    return day


def _probability(row: Mapping[str, Any], classes: Sequence[str], answer: str) -> float:
    shown, value = classes[-1] if len(classes) == 2 else answer, row.get("probability")
    try:
        p = float(value)  # type: ignore[arg-type] # None and others are refused below
    except (TypeError, ValueError):
        p = -1.0
    if not 0 <= p <= 1:
        raise DataError(f"found the probability {value!r}; expected that of {shown}, from 0 to 1, as it was answered")
    return p
