"""The samples of a task: read from a table or an upload folder."""

import json
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core import params
from pipeline.core.artifacts import JSON
from pipeline.core.errors import DataError
from pipeline.core.params_models import TaskParams
from pipeline.data import folder_layout, tables, uploads
from pipeline.data.columns.odd_values import about_odd_values
from pipeline.data.folder_layout import COLUMNS
from pipeline.data.folders.sample_files import Sample
from pipeline.data.grouping.group_cells import join_columns, read_groups
from pipeline.data.tabular.cells import Notice
from pipeline.data.tabular.files import TableFile, read_table
from pipeline.data.tabular.formats import ColumnFormat, Source
from pipeline.data.tabular.learning import CODES, learn
from pipeline.data.tabular.missing import is_missing, kept_words, missing_in
from pipeline.data.tabular.numbers import is_plain

MERGED_SHOWN = 3  # groups written in several ways; more are counted


def task_params(kind: str, raw: str, read: JSON) -> TaskParams:
    """Return a task with defaults for all but what is read."""
    rest: JSON = {name: {} for name in ("audit", "split", "preprocess", "select")}
    return TaskParams.model_validate({"kind": kind, "raw": raw, "read": read, "models": [], **rest})


@dataclass(frozen=True)
class ScannedTable:
    """The rows of a table task.

    `samples` has the columns of samples.csv; `features`, text, those of columns.csv: numbers are plain, whatever they were
    written with, which `formats` says by column. `notices` are the findings on the file and its columns.
    """

    samples: pd.DataFrame
    features: pd.DataFrame
    formats: dict[str, ColumnFormat]
    notices: list[Notice]


def scan_table(task: TaskParams, name: str, file: TableFile | None = None) -> ScannedTable:
    """Return the rows of a table task, and the included uploads behind them; `file` is the table where it was read already.

    Raises DataError for a missing file or column, or labels that differ only in case. A row without a label is kept,
    with an error, so that it is reported rather than lost. Excluded columns and those of dates are no features, and are kept
    in samples.csv alone.
    """
    path = Path(task.raw)
    if file is None:
        if not path.is_file():
            raise DataError(f"{path.as_posix()}: there is no such file (from tasks.{name}.raw)")
        file = read_table(path, header=task.read.header)
    columns = {"label": task.read.label, "group": task.read.group, "shipped": task.read.shipped}
    for key, column in columns.items():
        if column:
            tables.require_column(file.table, column, path, f"tasks.{name}.read.{key}")
    for key, several in (("exclude", task.read.exclude), ("group_with", task.read.group_with)):
        for column in several:
            tables.require_column(file.table, column, path, f"tasks.{name}.read.{key}")
    special = [column for column in (*columns.values(), *task.read.group_with) if column]
    known = tables.with_decimal_points(file, special)
    learnt = learn(
        file.table.drop(columns=list({*special, *task.read.exclude})),
        Source(path, file.lines, file.row_name, file.separator),
    )
    dates = [column for column, form in learnt.formats.items() if form.kind == "date"]
    features = learnt.table.drop(columns=dates)
    if not len(features.columns):
        gone = [*task.read.exclude, *dates]
        also = f"; no features are: {', '.join(gone)} (ids, dates, texts that differ in each row)" if gone else ""
        raise DataError(f"{path.as_posix()}: has no column besides the label{also}; expected at least one feature")
    samples, notices = describe_rows(task, known, features, path)
    notices += about_odd_values(features, Source(path, file.lines, file.row_name))
    for column, kept in folder_layout.own_names([*task.read.exclude, *dates], path, f"tasks.{name}.read").items():
        samples[kept] = file.table[column]
    samples, features = add_rows(samples, features, name)
    return ScannedTable(samples, features, learnt.formats, [*file.notices, *learnt.notices, *notices])


def describe_rows(
    task: TaskParams, known: pd.DataFrame, features: pd.DataFrame, path: Path
) -> tuple[pd.DataFrame, list[Notice]]:
    """Return samples.csv of a table; `known` holds the columns that are label, group and shipped split."""
    labels = known[task.read.label]
    missing = missing_in(labels, of_label=True)
    has_none = labels.isin(missing)
    folder_layout.check_labels(labels[~has_none], path.as_posix(), int(has_none.sum()))
    rows = range(1, len(labels) + 1)
    ids = tables.number_equal_rows(tables.row_ids(features))
    samples = pd.DataFrame({"id": ids, "path": [f"row {row}" for row in rows]})
    samples["label"] = labels.where(~has_none, "")
    groups = join_columns(known, task.read.group_columns) if task.read.group else []
    samples["group"] = read_groups(groups, task.read.group_from) if groups else ""
    samples["shipped"] = (
        [folder_layout.shipped_name(word, path, row) for row, word in zip(rows, known[task.read.shipped], strict=True)]
        if task.read.shipped
        else ""
    )
    samples["error"] = np.where(has_none, no_label(labels), "")
    notices = label_notices(labels, missing, task.read.label)
    if groups and not task.read.group_from:
        notices += about_merged(groups, samples["group"].tolist(), task.read.group_columns)
    return samples.reindex(columns=COLUMNS, fill_value=""), notices


def about_merged(names: Sequence[str], groups: Sequence[str], columns: Sequence[str]) -> list[Notice]:
    """Return a notice on groups that are written in several ways; `names`: as written, `groups`: what they are taken for."""
    merged = sorted({(group, name) for name, group in zip(names, groups, strict=True) if group not in ("", name)})
    if not merged:
        return []
    shown = ", ".join(f"{name!r} and {group!r}" for group, name in merged[:MERGED_SHOWN])
    more = f" and {len(merged) - MERGED_SHOWN} more" if len(merged) > MERGED_SHOWN else ""
    where = " and ".join(map(repr, columns))
    text = (
        f"column {where}: {shown}{more} are taken as one group; if they are different patients, name them differently"
    )
    return [Notice("group", columns[0], 0, text)]


def no_label(labels: pd.Series) -> pd.Series:
    """Return the error of each row, for those whose label is missing."""
    return labels.map(lambda cell: f"the label is missing ({cell})" if cell else "the label is empty")


def label_notices(labels: pd.Series, missing: Collection[str], column: str) -> list[Notice]:
    """Return notices on labels that are missing, or look so and are classes."""
    notices = []
    n_missing = int(labels.isin(missing).sum())
    if n_missing:
        words = ", ".join(sorted(repr(word) for word in missing if word)) or "empty"
        text = f"column {column!r}: {n_missing} of {len(labels)} rows have no label ({words}) and are left out"
        if any(not is_missing(word) for word in missing):
            text += "; if this is a class, give it another name, such as 'other'"
        notices.append(Notice("label", column, 0, text))
    classes = set(labels) - set(missing)
    codes = sorted(classes & set(CODES)) if len(classes) > 2 and all(map(is_plain, classes)) else []
    for code in codes:
        text = f"column {column!r}: {code} is taken as a class; if it stands for a missing label, empty these cells"
        notices.append(Notice("label", column, 0, text))
    for word in sorted(kept_words(labels, of_label=True)):
        notices.append(Notice("label", column, 0, f"column {column!r}: {word!r} is taken as a class, not as missing"))
    return notices


def add_rows(samples: pd.DataFrame, features: pd.DataFrame, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return samples and features with the included uploads behind them; raise DataError where one is not what it was."""
    new = uploads.read_stored(name, "table")
    if not new:
        return samples, features
    paths = [uploads.stored(name, "table", upload.hash) for upload in new]
    rows = pd.DataFrame([json.loads(path.read_bytes()) for path in paths], dtype=object)
    if list(rows) != list(features):
        raise DataError(
            f"data/uploads/{name}/rows: have other columns than {params.task(name).raw}; take their batches out"
        )
    more = pd.DataFrame({"id": [upload.hash for upload in new], "path": [path.as_posix() for path in paths]})
    more["label"], more["group"] = [upload.label for upload in new], [upload.group for upload in new]
    for upload, id_ in zip(new, tables.row_ids(rows), strict=True):
        others = (uploads.id_of_equal(id_, number) for number in range(1, len(samples) + len(new)))
        check_upload(
            name, upload.hash, id_ if upload.hash == id_ else next((o for o in others if o == upload.hash), id_)
        )
    more = more.reindex(columns=samples.columns, fill_value="")
    return pd.concat([samples, more], ignore_index=True), pd.concat([features, rows], ignore_index=True)


def list_uploads(name: str) -> list[Sample]:
    """Return the included uploads of an image task."""
    new = uploads.read_stored(name, "image")
    return [Sample(uploads.stored(name, "image", upload.hash).as_posix(), upload.label, upload.group) for upload in new]


def check_upload(name: str, expected: str, actual: str) -> None:
    """Raise DataError unless an upload still is what was included."""
    if actual != expected:
        raise DataError(f"data/uploads/{name}: what is stored as {expected} is something else: restore it from a copy")


def report_unreadable(bad: list[tuple[str, str]], n_samples: int, task: TaskParams, name: str) -> None:
    """Say which samples, (path, error), cannot be used; raise DataError if the task allows none, or if none is left."""
    for path, error in bad[:10]:
        print(f"scan {name}: {path}: {error}: left out", file=sys.stderr)
    if len(bad) > 10:
        print(f"scan {name}: ... and {len(bad) - 10} more, all listed in data/{name}/audit.json", file=sys.stderr)
    if bad and task.read.unreadable == "error":
        path, error = bad[0]
        raise DataError(f"{task.raw}/{path}: {error}. Delete it, or set tasks.{name}.read.unreadable: skip")
    if len(bad) == n_samples:
        raise DataError(f"{task.raw}: none of the {n_samples} samples can be read")


def report_misfits(misfits: list[tuple[str, str]], name: str) -> None:
    """Say which images, (path, reason), have values that do not look like those the data set's rule is for."""
    for path, reason in misfits[:10]:
        print(f"scan {name}: {path}: {reason}", file=sys.stderr)
    if len(misfits) > 10:
        print(f"scan {name}: ... and {len(misfits) - 10} more, all listed in data/{name}/audit.json", file=sys.stderr)
