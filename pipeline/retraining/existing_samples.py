"""What a sample that is handed in is compared with: the task's raw samples, their place in the split, and earlier uploads."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.core import params
from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require
from pipeline.data import tables, upload_ledger, uploads
from pipeline.data.samples import read_samples
from pipeline.duplicates.fingerprint import Fingerprint, open_store, take
from pipeline.duplicates.pairs import Pair, find_pairs


@dataclass(frozen=True, slots=True)
class Place:
    """Where a known sample stands. `subset`: dev, test, excluded, or uploaded."""

    path: str
    label: str
    subset: str

    def objection(self, label: str, how: str) -> str:
        """Return why a sample that is the same as this one is refused; `how` says in which sense it is the same."""
        if self.subset == "test":
            return f"{how} of the test set: a model that was shown it could no longer be judged by it"
        if self.label != label:
            return f"{how} that is there under the label {self.label!r} ({self.path}): one of the labels is wrong"
        return f"already there ({self.path})" if how == "the same" else f"already there: {how} ({self.path})"


class Known:
    """What there is of a task before an upload."""

    def __init__(self, task: str):
        """Read split and ledger; raise StageError where the task has not been split, since nothing can be checked then."""
        self.task, self.kind = task, params.task(task).kind
        split = require(TaskPaths(task).split, f"split@{task}")
        samples, subset_of = _read_raw(Path.cwd(), task, split.stat().st_mtime_ns)
        self.labels = sorted(set(samples["label"]) - {""})
        self.test_groups = {
            group
            for group, path in zip(samples["group"], samples["path"], strict=True)
            if subset_of.get(path) == "test"
        } - {""}
        good = samples[samples["error"] == ""]
        self.ids = {  # the last of equal ones; they stand in one subset
            id_: Place(path, label, subset_of.get(path, "excluded"))
            for id_, path, label in zip(good["id"], good["path"], good["label"], strict=True)
        }
        lines = upload_ledger.samples(task)
        decided = upload_ledger.decisions(task)
        for line in lines:
            if decided.get(line["batch"]) == "rejected":
                continue  # it may be handed in again, under the right label
            path = uploads.stored(task, self.kind, line["id"]).as_posix()
            self.ids.setdefault(line["id"], Place(path, line["label"], "uploaded"))

    def pairs(self, new: list[Path], prints: list[Fingerprint]) -> tuple[list[Place], list[Pair]]:
        """Return the places of all known pictures, and the pairs that hold a new one, whose positions come behind these."""
        store, root = open_store(), Path(params.task(self.task).raw)
        places = [place for place in self.ids.values() if place.subset != "excluded"]
        files = [uploads.locate(root, place.path) for place in places]
        known = [fingerprint(file) for file in files]
        readable = [
            i for i, one in enumerate(known) if not one.facts.error
        ]  # what has changed since the scan is no picture
        places, files, known = ([part[i] for i in readable] for part in (places, files, known))
        pairs = find_pairs(files + new, known + prints, store, params.workers(), self.task, since=len(known))
        return places, pairs

    def rows(self) -> "Rows":
        """Return the same for rows of a table."""
        return Rows(self)


class Rows:
    """The rows of a table task by their values, so that 1.50 is 1.5."""

    def __init__(self, known: Known):
        task = known.task
        columns = pd.read_csv(TaskPaths(task).columns, dtype=str, keep_default_na=False)
        self.names = list(columns)
        self.fields = tables.schema(tables.typed(columns), {})
        ids = tables.row_ids(columns)
        self._places = {
            self.key(cells): known.ids[id_] for cells, id_ in zip(columns.values, ids, strict=True) if id_ in known.ids
        }
        for id_, place in known.ids.items():
            if place.subset == "uploaded":
                row = json.loads(uploads.stored(task, "table", id_).read_bytes())
                self._places[self.key(row.values())] = place

    def key(self, cells: Iterable[str]) -> tuple:
        """Return a row's values, in the order of the columns, numbers as numbers."""
        return tuple(
            ("" if tables.is_missing(cell) else float(cell)) if field["type"] == "number" else cell
            for cell, field in zip(cells, self.fields, strict=True)
        )

    def cells(self, row: dict[str, Any]) -> dict[str, str]:
        """Return a row as text in the order of the columns; raise DataError for other columns, or what is no number."""
        tables.to_frame(row, self.fields)
        texts = {str(name).strip(): "" if value is None else str(value).strip() for name, value in row.items()}
        return {name: texts[name] for name in self.names}

    def find(self, cells: dict[str, str]) -> Place | None:
        """Return the place of the known row with these values."""
        return self._places.get(self.key(cells.values()))

    def add(self, cells: dict[str, str], place: Place) -> None:
        """Make a row known."""
        self._places[self.key(cells.values())] = place


@lru_cache(maxsize=2)
def _read_raw(folder: Path, task: str, _: int) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return samples.csv and {path: subset}; read again when split.csv has changed."""
    split = pd.read_csv(TaskPaths(task).split, dtype=str, keep_default_na=False)
    return read_samples(task), dict(zip(split["path"], split["subset"], strict=True))


@lru_cache(maxsize=20_000)
def _kept(file: Path, _: tuple[int, int]) -> Fingerprint:
    store = open_store()
    found, new = take(file, store)
    store.put(new)
    return found


def fingerprint(file: Path) -> Fingerprint:
    """Return a known file's fingerprint, which a server keeps from one upload to the next."""
    try:
        stat = file.stat()
    except OSError as error:
        raise DataError(
            f"{file.as_posix()}: cannot be opened ({error.strerror}); without it no upload can be checked"
        ) from None
    return _kept(file.absolute(), (stat.st_mtime_ns, stat.st_size))


def positions(pairs: list[Pair], position: int) -> list[tuple[int, Pair]]:
    """Return the other position of each pair that holds `position`, the nearest first."""
    found = [(pair.a if pair.b == position else pair.b, pair) for pair in pairs if position in (pair.a, pair.b)]
    return sorted(found, key=lambda one: (-one[1].score, one[0]))
