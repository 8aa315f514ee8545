"""Classes that became known after a champion's answer: how they are sent, as JSON or CSV, and checked.

Each stands with the answer that it belongs to, because no answer is kept: `id`, by which the same one is not counted twice,
`label`, the class that became known, the `class` and the `probability` that were answered, and the `day` of the answer.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.core.errors import DataError

COLUMNS = ("id", "label", "class", "probability", "day")  # of a CSV, and `bundle`, which may be left out
SEPARATORS = (",", ";", "\t")
BUNDLE = re.compile(r"[\w.-]+@\w+")  # <model>@<start of its SHA-256>


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


def read_csv(data: bytes) -> list[dict[str, str]]:
    """Return the rows of a CSV with the columns `COLUMNS`, at least one; raise DataError where it is not such a file."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"found a byte that is not UTF-8 at {error.start:,}; save the table as CSV in UTF-8") from None
    head = text.partition("\n")[0]
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=max(SEPARATORS, key=head.count)))
    except csv.Error as error:
        raise DataError(f"the CSV cannot be read ({error}); save it anew") from None
    names, lines = [name.strip() for name in rows[0]] if rows else [], [row for row in rows[1:] if row]
    if not set(COLUMNS) <= set(names) or len(set(names)) < len(names):
        raise DataError(f"found the columns {', '.join(names) or 'none'}; expected each of {', '.join(COLUMNS)} once")
    wrong = next((number for number, row in enumerate(lines, start=1) if len(row) != len(names)), 0)
    if wrong:
        n = len(lines[wrong - 1])
        raise DataError(f"outcome {wrong} of {len(lines)} has {n} cells; expected {len(names)}; nothing was counted")
    if not lines:
        raise DataError("found a header and no row; expected an outcome in each row")
    return [dict(zip(names, row, strict=True)) for row in lines]


def _outcome(row: Mapping[str, Any], classes: Sequence[str], champion: str, today: date) -> Outcome:
    name, label, answer, bundle = (_text(row.get(key)) for key in ("id", "label", "class", "bundle"))
    if not name:
        raise DataError("found no id; expected one, by which the outcome is not counted twice")
    if label not in classes:
        raise DataError(f"found the label {label!r}; expected {' or '.join(classes)}")
    if answer and answer not in classes:
        raise DataError(
            f"found the class {answer!r}; expected the answer, {' or '.join(classes)}, or '' where it was refused"
        )
    if bundle and not BUNDLE.fullmatch(bundle):
        raise DataError(f"found the bundle {bundle[:80]!r}; expected the id that was answered with, such as {champion}")
    return Outcome(
        name,
        bundle or champion,
        _day(row.get("day"), today),
        label,
        answer,
        _probability(row, classes, answer) if answer else None,
    )


def _text(value: Any) -> str:
    """Return a cell as text, without what cannot be written to a file; "" for none."""
    return "" if value is None else str(value).strip().encode("utf-8", "replace").decode()


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
        p = -1.0 if isinstance(value, bool) else float(value)  # type: ignore[arg-type] # others are refused below
    except (TypeError, ValueError, OverflowError):  # a whole number of hundreds of digits overflows
        p = -1.0
    if not 0 <= p <= 1:
        raise DataError(
            f"found the probability {repr(value)[:40]}; expected that of {shown}, from 0 to 1, as it was answered"
        )
    return p
