"""Refuse results of raw data that changed while a stage read them.

DVC hashes what a stage read only after the stage has ended. A file that was replaced in between would stand in dvc.lock with its
new hash, next to outputs made from the old one, and `dvc status` would call that up to date. `scan` therefore records what it
read, and each stage that reads raw data compares: with that record at its start, with its own start at its end.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.core import artifacts
from pipeline.core.errors import AssayError, DataError
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require
from pipeline.data.folders.sample_files import walk

SHOWN = 5  # files named in a message
CURE = "wait until nothing writes there any more, then run 'dvc repro' again"


@dataclass(frozen=True)
class FileState:
    """What the operating system says of a file; times in ns. A write moves `modified`, and nothing can set `changed` back."""

    size: int
    modified: int
    inode: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> "FileState | None":
        """Return the state of a file, or None where there is none that can be read to its end."""
        try:
            status = os.stat(path)
        except OSError:
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return cls(status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns)

    def same_content(self, later: "FileState") -> bool:
        """Return whether nothing but owner, permissions or number of links can have changed."""
        return (self.size, self.modified, self.inode) == (later.size, later.modified, later.inode)


@dataclass(frozen=True)
class RawData:
    """All files of a task's raw data, by their path in it: their states and SHA-256; a raw file alone has the path ""."""

    raw: Path
    states: dict[str, FileState | None]
    hashes: dict[str, str]

    @classmethod
    def read(cls, raw: str) -> "RawData":
        """Return the raw data as they are now; nothing at all where the path leads nowhere."""
        root = Path(raw)
        names = files_of(root)
        states = {name: FileState.of(root / name) for name in names}
        return cls(root, states, {name: hash_of(root / name) if state else "" for name, state in states.items()})

    @property
    def sha256(self) -> str:
        """The hash of all paths and contents."""
        lines = "".join(f"{self.hashes[name]} {name}\n" for name in sorted(self.hashes))
        return artifacts.sha256(lines.encode())

    def changes(self) -> list[str]:
        """Return the files that are not as they were, each with what happened to it."""
        now = {name: FileState.of(self.raw / name) for name in files_of(self.raw)}
        changes = [f"{name} is new" for name in now.keys() - self.states.keys()]
        for name, before in self.states.items():
            after = now.get(name)
            if after is None and before is not None:
                changes.append(f"{name or self.raw.name} was removed")
            elif before != after and not self._only_touched(name, before, after):
                changes.append(f"{name or self.raw.name} was written to")
        return sorted(changes)

    def _only_touched(self, name: str, before: FileState | None, after: FileState | None) -> bool:
        if before is None or after is None or not before.same_content(after):
            return False
        return hash_of(self.raw / name) == self.hashes[name]


def files_of(raw: Path) -> list[str]:
    """Return the paths of all files in `raw`; for a file alone ""."""
    return walk(raw) if raw.is_dir() else [""] if raw.exists() else []


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file, or "" where it cannot be read, which is for the stage to report."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


@contextmanager
def unchanged(raw: str, stage: str) -> Iterator[RawData]:
    """Yield the raw data as they are before the block; raise DataError after it if they have changed since.

    If the block fails on data that changed, the error names the change, too: half a file is mostly its cause.
    """
    before = RawData.read(raw)
    try:
        yield before
    except (AssayError, OSError) as error:
        if changes := before.changes():
            raise DataError(f"{explain(changes, raw, stage)} (it also met: {error})") from error
        raise
    if changes := before.changes():
        raise DataError(explain(changes, raw, stage))


def explain(changes: list[str], raw: str, stage: str) -> str:
    """Return a sentence about raw data that changed while `stage` read them."""
    more = f" and {len(changes) - SHOWN} more" if len(changes) > SHOWN else ""
    return f"{raw}: changed while {stage} read it: {', '.join(changes[:SHOWN])}{more}; {CURE}"


def record(data: RawData, task: str) -> None:
    """Write down what `scan` read of a task."""
    sizes = [state.size for state in data.states.values() if state]
    content = {"sha256": data.sha256, "files": len(sizes), "bytes": sum(sizes)}
    artifacts.write_json(TaskPaths(task).raw_record, content)


@contextmanager
def as_scanned(task: str, raw: str, stage: str) -> Iterator[None]:
    """Raise DataError unless a task's raw data are, before and after the block, what `scan` read."""
    recorded = artifacts.read_json(require(TaskPaths(task).raw_record, f"scan@{task}"))["sha256"]
    with unchanged(raw, f"{stage} {task}") as data:
        if data.sha256 != recorded:
            raise DataError(
                f"{raw}: is not what scan read; it changed as scan ended, or since. Run 'dvc repro --force --single-item "
                f"scan@{task}', then 'dvc repro'"
            )
        yield
