"""Which uploaded samples take part: `data/uploads/<task>/included.csv`, which git keeps and the stage `scan` depends on.

Uploaded files are stored in the same folder, git-ignored, as `pictures/<hash>.png` or `rows/<hash>.json`. An upload alone
changes nothing; a row in included.csv brings it into the development set, never into the test set.
"""

import csv
import hashlib
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.core import artifacts, paths
from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths

COLUMNS = ["hash", "label", "group", "batch"]
FOLDERS = {"image": ("pictures", "png"), "table": ("rows", "json")}
HASH = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Included:
    """A row of included.csv. `hash`: 16 hex digits, the id that scan gives to the image or row."""

    hash: str
    label: str
    group: str
    batch: str


def create(task: str) -> None:
    """Write an included.csv without rows where there is none: DVC cannot depend on a file that may be missing."""
    if not TaskPaths(task).included.exists():
        write(task, [])


def write(task: str, rows: list[Included]) -> None:
    """Write included.csv; the order of `rows` is kept."""
    with artifacts.writing_csv(TaskPaths(task).included, COLUMNS) as add:
        for row in rows:
            add(asdict(row))


def read(task: str) -> list[Included]:
    """Return the rows of included.csv, none where there is no such file; raise DataError for what `write` did not write."""
    path = TaskPaths(task).included
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != COLUMNS:
            raise DataError(
                f"{path.as_posix()}: found {reader.fieldnames}; expected {','.join(COLUMNS)}: restore it with git"
            )
        rows = list(reader)
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        if None in row or None in row.values() or not HASH.fullmatch(row["hash"]) or row["hash"] in seen:
            raise DataError(
                f"{path.as_posix()}: row {number}: expected {','.join(COLUMNS)} with a new hash of 16 hex digits: "
                "restore it with git"
            )
        seen.add(row["hash"])
    return [Included(**row) for row in rows]


def stored(task: str, kind: str, hash_: str) -> Path:
    """Return where the sample with that hash is stored; its path from the project's folder is its path in samples.csv."""
    folder, suffix = FOLDERS[kind]
    return paths.UPLOADS / task / folder / f"{hash_}.{suffix}"


def id_of_equal(id_: str, number: int) -> str:
    """Return the id of the uploaded row that is the `number`-th, from 0, of patients whose rows are equal and have this hash."""
    return hashlib.sha256(f"{id_}:upload:{number}".encode()).hexdigest()[:16] if number else id_


def read_stored(task: str, kind: str) -> list[Included]:
    """Return the rows of included.csv; raise DataError, with their names, where stored samples are missing."""
    rows = read(task)
    missing = [path.as_posix() for path in (stored(task, kind, row.hash) for row in rows) if not path.is_file()]
    if missing:
        shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        raise DataError(
            f"{shown}: included, but not stored here. Copy data/uploads/{task} from where they were submitted, or take "
            f"their batch out: python -m pipeline.retrain {task} --rollback"
        )
    return rows


def is_upload(path: str) -> bool:
    """Return whether a path of samples.csv is an uploaded sample's."""
    return path.startswith(f"{paths.UPLOADS.as_posix()}/")


def locate(root: Path, path: str) -> Path:
    """Return where the file with that path of samples.csv lies: below `root`, the raw folder, or among the uploads."""
    return Path(path) if is_upload(path) else root / path
