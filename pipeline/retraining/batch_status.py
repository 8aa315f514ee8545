"""How far a batch is, in `data/uploads/<task>/batches/<batch>/status.json`, and who works in this workspace.

One challenge or decision runs at a time, whoever started it and wherever it is watched.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipeline.core import artifacts, paths
from pipeline.core.errors import AssayError
from pipeline.core.paths import TaskPaths

LOCK = paths.CHALLENGE_LOCK
ACTIVE = ("preparing", "running", "comparing", "promoting", "rolling back")


class RetrainError(AssayError):
    """A challenge or a decision cannot go on."""


@dataclass(frozen=True)
class Status:
    """The state of a batch, "" where nothing was started; `stage` to `seconds_left` while its graph runs.

    States: those of ACTIVE; compared, failed, cancelled, promoted, rejected, rolled back; interrupted where the process is gone.
    """

    state: str = ""
    message: str = ""
    stage: str = ""
    done: int = 0
    total: int = 0
    seconds_left: int = 0
    task: str = ""
    batch: str = ""


def folder(task: str, batch: str) -> Path:
    """Return where status, log and comparison of a batch lie."""
    return TaskPaths(task).batch(batch)


@contextmanager
def alone() -> Iterator[None]:
    """Hold the workspace's lock for challenges and decisions; raise RetrainError where another one runs."""
    LOCK.parent.mkdir(exist_ok=True)
    try:
        with FileLock(LOCK, timeout=2):
            yield
    except Timeout:
        raise RetrainError(
            "another challenge or decision runs in this workspace: wait, or end it with --cancel"
        ) from None


def is_running() -> bool:
    """Return whether a challenge or decision runs in this workspace."""
    try:
        LOCK.parent.mkdir(exist_ok=True)
        with FileLock(LOCK, timeout=0):
            return False
    except Timeout:
        return True


def last_written(task: str, batch: str) -> Status:
    """Return the status as it was written last, whether or not a process still works on it."""
    try:
        return Status(**artifacts.read_json(folder(task, batch) / "status.json"))
    except (OSError, ValueError):
        return Status()


def status(task: str, batch: str) -> Status:
    """Return how far a batch is."""
    last = last_written(task, batch)
    return replace(last, state="interrupted") if last.state in ACTIVE and not is_running() else last


def write(task: str, batch: str, state: str, **facts: Any) -> None:
    """Write the status."""
    artifacts.write_json(folder(task, batch) / "status.json", {"task": task, "batch": batch, "state": state} | facts)


def cancel(task: str, batch: str) -> None:
    """Ask the challenge of a batch to end."""
    (folder(task, batch) / "cancel").touch()
