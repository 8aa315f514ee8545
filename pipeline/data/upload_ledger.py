"""The ledger of a task's uploads, `data/uploads/<task>/ledger.jsonl`: who submitted what, and what was decided.

Lines are only appended. A line is on disk before its sample is reported as accepted. One writer at a time holds the lock.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from filelock import FileLock, Timeout

from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths

WAIT = 120  # seconds for another writer; a hundred images are compared with thousands in less


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


def append(task: str, event: str, **facts: Any) -> None:
    """Add a line, with the time, and wait until the disk has it; to be called in `locked`.

    Where it cannot be written whole, as on a full disk, nothing of it stays and OSError is raised. What a killed process left
    of a line is cut off first: nobody was told of it.
    """
    entry = {"event": event, "when": datetime.now(UTC).isoformat(timespec="seconds")} | facts
    data = json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
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


def end_of_lines(file: Any) -> int:
    """Return the size up to the last line end."""
    size = file.seek(0, os.SEEK_END)
    if not size:
        return 0
    file.seek(size - 1)
    if file.read(1) == b"\n":
        return size
    file.seek(0)
    return file.read().rfind(b"\n") + 1


def read(task: str) -> list[dict[str, Any]]:
    """Return the lines, the oldest first, without one that a killed process left half-written."""
    try:
        data = TaskPaths(task).ledger.read_bytes()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]


def samples(task: str, batch: str | None = None) -> list[dict[str, Any]]:
    """Return the samples that were accepted, of one batch or of all."""
    return [line for line in read(task) if line["event"] == "collected" and batch in (None, line["batch"])]


def decisions(task: str) -> dict[str, str]:
    """Return what was decided of each batch last: promoted, rejected or rolled back; of the others nothing."""
    decided = ("promoted", "rejected", "rolled back")
    return {line["batch"]: line["event"] for line in read(task) if line["event"] in decided}


def decision(task: str, batch: str) -> str:
    """Return what was decided of a batch last, or "" where nothing was; see `decisions`."""
    return decisions(task).get(batch, "")
