"""Existing samples that a submitted one is compared with: the task's raw samples, with their subset, and earlier uploads."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core import params
from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require
from pipeline.data import tables, upload_ledger, uploads
from pipeline.data.audit_result import Pair
from pipeline.data.columns.words import spelling
from pipeline.data.feature_arrays import read_formats
from pipeline.data.folders.archives import folder_of
from pipeline.data.images import image_file
from pipeline.data.images.pixel_rule import PixelRule, rule_of
from pipeline.data.tabular.formats import Field
from pipeline.data.tabular.values import to_cell
from pipeline.data.written_samples import read_samples, read_split
from pipeline.duplicates.images.fingerprint import Fingerprint, open_store, take
from pipeline.duplicates.images.pairs import find_pairs
from pipeline.duplicates.rows.but_one import ButOne
from pipeline.duplicates.rows.equal_rows import FEW, expect_equal, is_beyond_chance
from pipeline.duplicates.rows.near_rows import LEVEL, LEVEL_OF_COPIES, NearRows
from pipeline.prediction.answer import Row


@dataclass(frozen=True, slots=True)
class Existing:
    """An existing sample. `subset`: dev, test, excluded, or uploaded, then with its batch."""

    path: str
    label: str
    subset: str
    batch: str = ""

    def objection(self, label: str, how: str) -> str:
        """Return why a sample that is the same as this one is refused; `how` says in which sense it is the same."""
        if self.subset == "test":
            return f"{how} is in the test set: a model trained on it could no longer be evaluated on it"
        if self.label != label:
            return f"{how} exists with the label {self.label!r} ({self.path}): one of the labels is wrong"
        return f"already stored ({self.path})" if how == "the same sample" else f"already stored: {how} ({self.path})"


class ExistingSamples:
    """The samples of a task before an upload."""

    def __init__(self, task: str):
        """Read split and ledger; raise StageError where the task has not been split, since nothing can be checked then."""
        self.task, self.kind = task, params.task(task).kind
        split = require(TaskPaths(task).split, f"split@{task}")
        samples, subset_of = _read_raw(Path.cwd(), task, split.stat().st_mtime_ns)
        self.labels = sorted(set(samples["label"]) - {""})
        self.groups = {spelling(group): group for group in samples["group"] if group}
        self.has_dicom = "format" in samples and bool((samples["format"] == "DICOM").any())
        self.test_groups = {
            group
            for group, path in zip(samples["group"], samples["path"], strict=True)
            if subset_of.get(path) == "test"
        } - {""}
        good = samples[samples["error"] == ""]
        self.ids = {  # the last of equal ones; they are in one subset
            id_: Existing(path, label, subset_of.get(path, "excluded"))
            for id_, path, label in zip(good["id"], good["path"], good["label"], strict=True)
        }
        lines = upload_ledger.samples(task)
        decided = upload_ledger.decisions(task)
        for line in lines:
            if decided.get(line.batch) == "rejected":
                continue  # it may be submitted again with the right label
            path = uploads.stored(task, self.kind, line.id).as_posix()
            self.ids.setdefault(line.id, Existing(path, line.label, "uploaded", line.batch))

    def pairs(self, new: list[Path], prints: list[Fingerprint]) -> tuple[list[Existing], list[Pair]]:
        """Return the existing images, and the pairs that hold a new image; positions of new images follow the existing ones."""
        task = params.task(self.task)
        store, root = open_store(rule_of(task.read)), folder_of(task.raw)
        samples = [sample for sample in self.ids.values() if sample.subset != "excluded"]
        files = [uploads.locate(root, sample.path) for sample in samples]
        own = [fingerprint(file, store.rule) for file in files]
        readable = [index for index, fp in enumerate(own) if not fp.facts.error]  # files may change after the scan
        all_files, all_prints = [files[k] for k in readable] + new, [own[k] for k in readable] + prints
        pairs = find_pairs(all_files, all_prints, store, params.workers(), self.task, since=len(readable))
        return [samples[k] for k in readable], pairs

    def rows(self) -> "Rows":
        """Return the same for rows of a table."""
        return Rows(self)


def read_fields(task: str, columns: pd.DataFrame | None = None) -> list[Field]:
    """Return the schema of a table task's columns; `columns` may hold columns.csv already."""
    if columns is None:
        columns = pd.read_csv(require(TaskPaths(task).columns, f"scan@{task}"), dtype=str, keep_default_na=False)
    return tables.schema(tables.typed(columns), {}, read_formats(TaskPaths(task).scan))


class Rows:
    """The rows of a table task by their values, so that 1.50 is 1.5."""

    def __init__(self, existing: ExistingSamples):
        task = existing.task
        columns = pd.read_csv(TaskPaths(task).columns, dtype=str, keep_default_na=False)
        self.names = list(columns)
        self.fields = read_fields(task, columns)
        dates = {name for name, form in read_formats(TaskPaths(task).scan).items() if form.kind == "date"}
        self.unused = {*params.task(task).read.exclude, *dates}
        self._samples = [existing.ids.get(id_) for id_ in read_samples(task)["id"]]
        self._features = tables.typed(columns)
        self._keys = [self.key(cells) for cells in columns.values]
        self._positions: dict[tuple[Any, ...], int] = {}  # of the row that an equal one is compared with
        for position, (key, sample) in enumerate(zip(self._keys, self._samples, strict=True)):
            if sample and (sample.subset == "test" or key not in self._positions):
                self._positions[key] = position
        self._near, self._level = NearRows(self._features), LEVEL
        self._but_one = ButOne(self._features, self._keys)
        self._uploaded: dict[tuple[Any, ...], list[Existing]] = defaultdict(list)
        for id_, sample in existing.ids.items():
            if sample.subset == "uploaded":
                row = json.loads(uploads.stored(task, "table", id_).read_bytes())
                self._uploaded[self.key(row.values())].append(sample)

    def key(self, cells: Iterable[str]) -> tuple:
        """Return a row's values, in the order of the columns, numbers as numbers."""
        return tuple(
            ("" if tables.is_missing(cell) else float(cell)) if field.is_number else cell
            for cell, field in zip(cells, self.fields, strict=True)
        )

    def cells(self, row: Row) -> dict[str, str]:
        """Return a row as text in the order of the columns; raise DataError for other columns, or what is no number."""
        values = {str(name).strip(): value for name, value in row.items()}
        values = {name: value for name, value in values.items() if name not in self.unused}
        tables.to_frame(values, self.fields)
        return {field.name: to_cell(values[field.name], field) for field in self.fields}

    def find(self, cells: dict[str, str]) -> Existing | None:
        """Return the existing row with these values: one of the test set first."""
        key = self.key(cells.values())
        if key in self._positions:
            return self._samples[self._positions[key]]
        return next(iter(self._uploaded[key]), None)

    def n_uploaded(self, cells: dict[str, str], batch: str) -> int:
        """Return how many rows of a batch have these values."""
        return sum(sample.batch == batch for sample in self._uploaded[self.key(cells.values())])

    def is_explained(self, cells: dict[str, str]) -> bool:
        """Return whether other patients are expected to have these values, because there are few columns of few values."""
        position = self._positions.get(self.key(cells.values()))
        return position is not None and bool(self._expected[position] >= FEW)

    def copies_of_test(self, rows: list[dict[str, str]]) -> bool:
        """Return whether more of the rows equal one of the test set than other patients do by chance."""
        in_test = [sample is not None and sample.subset == "test" for sample in self._samples]
        tested = {key for key, is_test in zip(self._keys, in_test, strict=True) if is_test}
        others = [key in tested for key, is_test in zip(self._keys, in_test, strict=True) if not is_test]
        n_equal = sum(self.key(row.values()) in tested for row in rows)
        return is_beyond_chance(n_equal, len(rows), float(np.mean(others)) if others else 0.0)

    @cached_property
    def _expected(self) -> np.ndarray:
        return expect_equal(self._features)

    def expect_copies(self, rows: list[dict[str, str]]) -> None:
        """Look harder for copies where more of the rows submitted at once are near existing ones than chance explains."""
        self._level = LEVEL_OF_COPIES if rows and self._near.are_copies(self._frame(rows)) else LEVEL

    def near(self, cells: dict[str, str]) -> Existing | None:
        """Return the existing row of which a row is nearly a copy, or equal in all columns but one; None without."""
        (position,) = self._near.find(self._frame([cells]), self._level)
        position = self._but_one.find(self.key(cells.values())) if position is None else position
        return None if position is None else self._samples[position]

    def _frame(self, rows: list[dict[str, str]]) -> pd.DataFrame:
        """Return rows with numbers as numbers."""
        frame = pd.DataFrame(rows, columns=self.names, dtype=object)
        for field in self.fields:
            if field.is_number:
                frame[field.name] = [tables.as_number(cell) for cell in frame[field.name]]
        return frame

    def add(self, cells: dict[str, str], sample: Existing) -> None:
        """Make a row existing."""
        self._uploaded[self.key(cells.values())].append(sample)


@lru_cache(maxsize=2)
def _read_raw(folder: Path, task: str, _: int) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return samples.csv and {path: subset}; read again when split.csv has changed."""
    split = read_split(task)
    return read_samples(task), dict(zip(split["path"], split["subset"], strict=True))


@lru_cache(maxsize=20_000)
def _kept(file: Path, rule: PixelRule, _: tuple[int, int]) -> Fingerprint:
    store = open_store(rule)
    fp, new = take(file, store)
    store.put(new)
    return fp


def fingerprint(file: Path, rule: PixelRule) -> Fingerprint:
    """Return the fingerprint of an existing file, cached from one upload to the next."""
    try:
        stat = image_file.on_disk(file).stat()
    except OSError as error:
        raise DataError(
            f"{file.as_posix()}: cannot be opened ({error.strerror}); without it no upload can be checked"
        ) from None
    return _kept(file.absolute(), rule, (stat.st_mtime_ns, stat.st_size))


def positions(pairs: list[Pair], position: int) -> list[tuple[int, Pair]]:
    """Return the other position of each pair that holds `position`, the most similar first."""
    others = [(pair.a if pair.b == position else pair.b, pair) for pair in pairs if position in (pair.a, pair.b)]
    return sorted(others, key=lambda other: (-other[1].score, other[0]))
