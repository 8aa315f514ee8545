"""List the samples of a raw folder, with labels and groups from folders or a CSV. No image is opened.

Three layouts: class folders (`benign/…`), shipped splits of class folders (`train/benign/…`, `test/benign/…`), and a
CSV whose `path` column names images in its folder.
"""

import posixpath
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PureWindowsPath

import pandas as pd

from pipeline.core.errors import DataError
from pipeline.core.params_models import TaskParams
from pipeline.core.read_params import ReadParams
from pipeline.data import tables
from pipeline.data.columns.label_names import check_classes
from pipeline.data.columns.label_spelling import check_answers
from pipeline.data.columns.one_label import label_of
from pipeline.data.columns.words import PARTS
from pipeline.data.dicom.dicom_index import DicomIndex
from pipeline.data.dicom.dicom_samples import describe
from pipeline.data.folders.archives import folder_of
from pipeline.data.folders.class_folders import read_folders
from pipeline.data.folders.image_names import ImageIndex
from pipeline.data.folders.sample_files import Sample, Skipped
from pipeline.data.grouping.group_cells import join_cells, read_groups
from pipeline.data.grouping.path_groups import group_of
from pipeline.data.tabular.files import SUFFIXES
from pipeline.data.tabular.missing import missing_in

# Of samples.csv; the further columns of a task's own CSV come behind these.
COLUMNS = ["id", "path", "label", "group", "shipped", "width", "height", "mode", "format", "bytes", "error"]


def list_samples(task: TaskParams, name: str) -> tuple[list[Sample], list[Skipped]]:
    """Return the samples of an image task sorted by path, and the files passed over.

    Raises DataError where the raw folder is missing or empty, or labels differ only in case.
    """
    root = folder_of(task.raw)
    if not root.is_dir():
        raise DataError(
            f"{root.as_posix()}: is not a folder (from tasks.{name}.raw); put the data there or mend the path"
        )
    if task.read.csv:
        samples, skipped = from_csv(task, name)
    else:
        reading = read_folders(root, task.read, task.raw)
        samples, skipped = reading.samples, reading.skipped
    if not samples:
        n_loose = sum(skip.reason == "is not in a class folder" for skip in skipped)
        also = f" ({n_loose} files lie in the folder itself, without a class)" if n_loose else ""
        lying = [skip.path for skip in skipped if "/" not in skip.path and Path(skip.path).suffix.lower() in SUFFIXES]
        also += f"; to read {lying[0]} as a table of features, give its own path" if lying else ""
        raise DataError(
            f"{Path(task.raw).as_posix()}: no image found{also}; expected class folders, train/ and test/ folders or a CSV whose "
            "column 'path' names the images"
        )
    n_without = sum("has no label" in skip.reason for skip in skipped)
    n_unnamed = sum("names no DICOM file" in skip.reason for skip in skipped)
    check_labels([sample.label for sample in samples], Path(task.raw).as_posix(), n_without, n_unnamed)
    if task.read.group:
        groups = read_groups([sample.group for sample in samples], task.read.group_from)
        samples = [replace(sample, group=group) for sample, group in zip(samples, groups, strict=True)]
    elif task.read.group_from:
        samples = [replace(sample, group=group_of(task.read.group_from, sample.path)) for sample in samples]
        if not any(sample.group for sample in samples):
            raise DataError(
                f"{root.as_posix()}: {f'tasks.{name}.' if name else ''}read.group_from finds nothing in any path, the first is "
                f"{samples[0].path!r}; mend the regular expression or leave it out"
            )
    samples = describe(samples, root, task.read)
    return sorted(samples, key=lambda s: s.path), sorted(skipped, key=lambda s: s.path)


def from_csv(task: TaskParams, name: str) -> tuple[list[Sample], list[Skipped]]:
    """Return the images that the CSV names, and the rows without a label; other files in the folder are not looked at.

    With `read.test_csv` the CSV itself is the training part of a shipped split.
    """
    read = task.read
    shipped = bool(read.test_csv or read.valid_csv)
    parts = [(read.csv, "train" if shipped else "", "csv")]
    parts += [(read.valid_csv, "valid", "valid_csv"), (read.test_csv, "test", "test_csv")]
    root = folder_of(task.raw)
    index: ImageIndex | DicomIndex | None = ImageIndex(root, read.images) if read.images else None
    if read.match:
        index = DicomIndex(root, read.images or ["."])
    samples: list[Sample] = []
    skipped: list[Skipped] = []
    for csv, subset, key in parts:
        if csv:
            path = root / csv
            if not path.is_file():
                raise DataError(f"{path.as_posix()}: there is no such file (from tasks.{name}.read.{key})")
            more, others = from_table(tables.read_csv(path, header=read.header), path, read, name, subset, index)
            samples, skipped = samples + more, skipped + others
    check_unique([sample.path for sample in samples], root / (read.csv or ""))
    return same_extras(samples), skipped


def from_table(
    table: pd.DataFrame, path: Path, read: ReadParams, name: str, subset: str, index: ImageIndex | DicomIndex | None
) -> tuple[list[Sample], list[Skipped]]:
    """Return the images that the rows of one CSV name, and those without a label."""
    label = None if read.one_hot else read.label
    known = {"path_column": read.path_column, "label": label, "group": read.group, "shipped": read.shipped}
    for key, column in known.items():
        if column:
            tables.require_column(table, column, path, f"tasks.{name}.read.{key}")
    for key, several in (("one_hot", read.one_hot), ("group_with", read.group_with)):
        for column in several:
            tables.require_column(table, column, path, f"tasks.{name}.read.{key}")
    taken = {*known.values(), *read.one_hot, *read.group_with}
    extra = own_names([column for column in table if column not in taken], path, f"tasks.{name}.read")
    missing = set() if read.one_hot else missing_in(table[read.label], of_label=True)
    samples: list[Sample] = []
    skipped: list[Skipped] = []
    extras: dict[
        tuple[str, ...], dict[str, str]
    ] = {}  # other columns repeat (age, sex): samples with equal ones share a dict
    for number, cells in enumerate(table.itertuples(index=False, name=None), start=1):
        row = dict(zip(table.columns, cells, strict=True))
        cell, files = row[read.path_column], []
        if isinstance(index, DicomIndex):
            files = index.find(read.match or "", cell)
            relative = f"{path.name} row {number}"  # never the identifier
        elif index is None or not cell:
            relative = inside(cell, path, number)
        else:
            relative = index.resolve(cell, f"{path.as_posix()}: row {number}", subset)
        try:
            word = label_of(row, read.one_hot) if read.one_hot else row[read.label]
        except DataError as error:
            raise DataError(f"{path.as_posix()}: row {number}: {error}") from None
        if word in missing or not word:
            skipped.append(Skipped(relative, f"has no label in {path.name} ({word or 'empty'})"))
            continue
        if read.match and not files:
            skipped.append(Skipped(relative, f"names no DICOM file by its {read.match}"))
        more = {kept: row[column] for column, kept in extra.items()}
        sample = Sample(
            path=relative,
            label=word,
            group=join_cells([row[column] for column in read.group_columns]) if read.group else "",
            shipped=shipped_name(row[read.shipped], path, number) if read.shipped else subset,
            extra=extras.setdefault(tuple(more.values()), more),
        )
        samples += [replace(sample, path=file) for file in files] if read.match else [sample]
    return samples, skipped


def same_extras(samples: list[Sample]) -> list[Sample]:
    """Return samples that all have the same further columns: those that one of several CSVs lacks are empty there."""
    columns = list(dict.fromkeys(column for sample in samples for column in sample.extra))
    if all(len(sample.extra) == len(columns) for sample in samples):
        return samples
    return [replace(row, extra={column: row.extra.get(column, "") for column in columns}) for row in samples]


def find_csv(folder: Path) -> str | None:
    """Return the CSV in the folder itself that has a column `path`; raise DataError where there are several."""
    names = []
    for file in sorted(folder.glob("*.csv")):
        try:
            if "path" in tables.read_csv(file):
                names.append(file.name)
        except (DataError, OSError):
            continue  # a stray file: the scan passes it over
    if len(names) > 1:
        raise DataError(f"{folder.as_posix()}: {', '.join(names)} have a column 'path'; give the one that is meant")
    return names[0] if names else None


def own_names(columns: list[str], path: Path, key: str) -> dict[str, str]:
    """Return under which name samples.csv keeps each of a CSV's further columns; says where that is another.

    Names that samples.csv gives to something else get csv_ in front.
    """
    names = {}
    for column in columns:
        kept = column
        while kept in COLUMNS or (kept != column and kept in columns):
            kept = f"csv_{kept}"
        names[column] = kept
        if kept != column:
            also = f"; if it is the {column}, set {key}.{column}" if column in ("group", "shipped") else ""
            print(f"{path.as_posix()}: column {column!r} is kept as {kept!r}{also}", file=sys.stderr)
    return names


def inside(word: str, path: Path, number: int) -> str:
    """Return a CSV's path in its shortest form; raise DataError where it is empty or leads out of the folder."""
    relative = word.replace("\\", "/")
    if not relative:
        raise DataError(f"{path.as_posix()}: row {number}: the path is empty; fill it in or delete the row")
    if PureWindowsPath(relative).anchor:
        raise DataError(
            f"{path.as_posix()}: row {number}: {word!r} is an absolute path; write paths relative to the folder of the CSV, or "
            "name the folder of the images: read.images (--images)"
        )
    if ".." in relative.split("/"):
        raise DataError(f"{path.as_posix()}: row {number}: {word!r} leads out of the folder; use relative paths")
    return posixpath.normpath(relative)


def shipped_name(word: str, path: Path, number: int) -> str:
    """Return train, valid or test for the word a data set uses; raise DataError for any other."""
    if word.lower() not in PARTS:
        raise DataError(f"{path.as_posix()}: row {number}: {word!r} is no split; expected train, valid or test")
    return PARTS[word.lower()]


def check_unique(paths: list[str], path: Path) -> None:
    """Raise DataError where a CSV names one file twice."""
    twice = [name for name, count in Counter(paths).items() if count > 1]
    if twice:
        more = f", and {len(twice) - 1} more files so" if len(twice) > 1 else ""
        raise DataError(
            f"{path.as_posix()}: names {twice[0]!r} twice{more}; expected one row for each image. Delete the other rows"
        )


def check_labels(labels: Sequence[str], where: str, n_without: int = 0, n_unnamed: int = 0) -> None:
    """Raise DataError for less than two classes, labels that differ in spelling only, dates and measurements.

    `labels`: of all samples; `n_without`: how many more have no label; `n_unnamed`: rows of the CSV that name no file.
    """
    check_classes(labels, where)
    folded: dict[str, str] = {}
    for label in sorted(set(labels)):
        same = re.sub(r"(?<=\d)\.0+$", "", unicodedata.normalize("NFKC", label).casefold())
        twin = folded.setdefault(same, label)
        if twin != label:
            by_case = twin.casefold() == label.casefold()
            by_form = unicodedata.normalize("NFKC", twin).casefold() == unicodedata.normalize("NFKC", label).casefold()
            how = "case" if by_case else "how their letters are stored in Unicode" if by_form else "a trailing .0"
            raise DataError(f"{where}: the labels {twin!r} and {label!r} differ only in {how}; make them one")
    check_answers(list(folded.values()), where)
    if len(folded) < 2:
        also = f". {n_without} more have no label: if that means another class, write its name" if n_without else ""
        also += f". {n_unnamed} rows of the CSV name no DICOM file: compare the identifiers" if n_unnamed else ""
        raise DataError(f"{where}: only one class ({', '.join(folded.values())}); at least two are needed{also}")
