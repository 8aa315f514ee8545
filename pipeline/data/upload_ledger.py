"""The ledger of a task's uploads, `data/uploads/<task>/ledger.jsonl`: who submitted what, and what was decided.

Lines are only appended. A line is on disk before its sample is reported as accepted. One writer at a time holds the lock.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import BinaryIO

from filelock import FileLock, Timeout

from pipeline.core import artifacts
from pipeline.core.artifacts import JSON
from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths

WAIT = 120  # seconds for another writer; a hundred images are compared with thousands in less
DECISIONS = ("promoted", "rejected", "rolled back")


def now() -> str:
    """Return the time for a line."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, kw_only=True)
class Collected:
    """A sample that was accepted; `id` is its hash, `source` where it was submitted."""

    event: str = "collected"
    when: str = field(default_factory=now)
    id: str = ""
    label: str = ""
    group: str = ""
    batch: str
    who: str = ""
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A comparison of a batch's challenger with the champion; `differences`: [difference, low, high] by metric.

    `champion`: the SHA-256 of its bundle.json; "" in lines of older versions.
    """

    event: str = "compared"
    when: str = field(default_factory=now)
    batch: str
    passed: bool
    recommendation: str
    differences: dict[str, list[float | None]]
    champion: str = ""


@dataclass(frozen=True, kw_only=True)
class Decided:
    """A decision about a batch: one of DECISIONS, by whom, and the SHA-256 of the champion's bundle.json after it.

    `by`: whether a person or the gate promoted it.
    """

    event: str
    when: str = field(default_factory=now)
    batch: str
    who: str = ""
    champion: str = ""
    by: str | None = None


@dataclass(frozen=True, kw_only=True)
class Corrected:
    """A label of the development set that somebody holds to be wrong: `label` as it is at `path`, and `corrected`.

    Raw data are only ever read, so whoever keeps them corrects them there.
    """

    event: str = "corrected"
    when: str = field(default_factory=now)
    path: str
    label: str
    corrected: str
    who: str = ""


Line = Collected | Compared | Decided | Corrected
KINDS: dict[str, type[Line]] = {
    "collected": Collected,
    "compared": Compared,
    "corrected": Corrected,
    **dict.fromkeys(DECISIONS, Decided),
}


@contextmanager
def locked(task: str) -> Iterator[None]:
    """Hold the task's uploads for as long as the block lasts; raise DataError where another process does not let go."""
    folder = TaskPaths(task).uploads
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=WAIT):
            yield
    except Timeout:
        raise DataError(f"{folder.as_posix()}: another process has held it for {WAIT} s; try again later") from None


def to_json(line: Line) -> JSON:
    """Return a line as the ledger has it, without what it does not say."""
    return {name: value for name, value in asdict(line).items() if value is not None}


def append(task: str, line: Line) -> None:
    """Add a line and wait until the disk has it; to be called in `locked`.

    Where it cannot be written whole, as on a full disk, nothing of it stays and OSError is raised. What a killed process left
    of a line is cut off first: nobody was told of it.
    """
    data = json.dumps(to_json(line), ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    with open(TaskPaths(task).ledger, "a+b") as file:
        whole = end_of_lines(file)
        file.truncate(whole)
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            os.truncate(TaskPaths(task).ledger, whole)
            raise


def end_of_lines(file: BinaryIO) -> int:
    """Return the size up to the last line end."""
    size = file.seek(0, os.SEEK_END)
    if not size:
        return 0
    file.seek(size - 1)
    if file.read(1) == b"\n":
        return size
    file.seek(0)
    return file.read().rfind(b"\n") + 1


def read(task: str) -> list[Line]:
    """Return the lines, the oldest first, without one that a killed process left half-written.

    Raises DataError with the number of a line that is not one of `KINDS`.
    """
    path, lines = TaskPaths(task).ledger, []
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    for number, line in enumerate(data[: data.rfind(b"\n") + 1].splitlines(), start=1):
        try:
            lines.append(from_json(json.loads(line)))
        except (ValueError, KeyError, TypeError, DataError):
            raise DataError(
                f"{path.as_posix()}: line {number} is damaged; restore the file from a copy, or correct the line"
            ) from None
    return lines


def from_json(content: JSON) -> Line:
    """Return a line of the ledger; what it says under other names is left out."""
    kind = KINDS[content["event"]]
    line: Line = artifacts.from_json(
        kind, {part.name: content[part.name] for part in fields(kind) if part.name in content}
    )
    return line


def samples(task: str, batch: str | None = None) -> list[Collected]:
    """Return the samples that were accepted, of one batch or of all."""
    return [line for line in read(task) if isinstance(line, Collected) and batch in (None, line.batch)]


def tries(task: str, champion: str) -> int:
    """Return how many comparisons there have been with the champion whose bundle.json has this SHA-256."""
    return sum(isinstance(line, Compared) and line.champion == champion for line in read(task))


def corrections(task: str) -> dict[str, Corrected]:
    """Return the last correction of each path's label."""
    return {line.path: line for line in read(task) if isinstance(line, Corrected)}


def decisions(task: str) -> dict[str, str]:
    """Return what was decided of each batch last: promoted, rejected or rolled back; of the others nothing."""
    return {line.batch: line.event for line in read(task) if isinstance(line, Decided)}


def last_decision(task: str, batch: str) -> Decided | None:
    """Return what was decided of a batch last, None where nothing was."""
    of_batch = [line for line in read(task) if isinstance(line, Decided) and line.batch == batch]
    return of_batch[-1] if of_batch else None


def decision(task: str, batch: str) -> str:
    """Return what was decided of a batch last, or "" where nothing was; see `decisions`."""
    return decisions(task).get(batch, "")
