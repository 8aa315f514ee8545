"""CSVs that name images: which of a folder do, and which belong together as the parts of a shipped split."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.core.artifacts import JSON
from pipeline.core.errors import DataError
from pipeline.data import tables
from pipeline.data.columns.label_columns import name_labels
from pipeline.data.columns.label_names import holds_classes
from pipeline.data.columns.one_label import MultiLabelError
from pipeline.data.columns.shipped_column import ShippedColumnError
from pipeline.data.columns.words import plain
from pipeline.data.dicom.dicom_index import PERSONAL, DicomIndex, UnmatchedError
from pipeline.data.folders.folder_names import are_numbered, are_numbers, split_names
from pipeline.data.folders.image_csv import AmbiguousImageError, ImageColumn, find_image_column, have_suffix, places
from pipeline.data.folders.image_names import list_images
from pipeline.data.folders.sample_files import is_system
from pipeline.data.tabular.files import Header
from pipeline.data.tabular.missing import missing_in
from pipeline.tasks.choices import Choices

MANY_FOLDERS = 10  # more than classes usually are
MOST_TABLES = 100  # that are tried in search of one that names images
LABEL_TABLES = (".csv", ".tsv", ".xlsx", ".xlsm", ".parquet", ".pq")


@dataclass(frozen=True)
class NamingCsv:
    """A CSV that names images."""

    path: Path
    table: pd.DataFrame
    column: ImageColumn

    def others(self, choices: Choices) -> pd.DataFrame:
        """Return the columns besides that of the names, without those that the user leaves out."""
        left_out = [column for column in choices.exclude if column in self.table]
        return self.table.drop(columns=[self.column.column, *left_out])


def csv_folder(folder: Path) -> Path:
    """Return the folder that holds the CSVs of a data set: the top, or as long as there is nothing else the only folder in it."""
    while True:
        entries = [entry for entry in folder.iterdir() if not is_system(entry.name)]
        if len(entries) != 1 or not entries[0].is_dir():
            return folder
        folder = entries[0]


def tables_below(folder: Path) -> list[Path]:
    """Return the tables in a folder, or where it has none those in the folders below, the first `MOST_TABLES`."""
    own = sorted(
        entry for entry in folder.iterdir() if entry.suffix.lower() in LABEL_TABLES and not is_system(entry.name)
    )
    if own:
        return own
    below: list[Path] = []
    for above, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_system(name))
        below += [
            Path(above, name)
            for name in sorted(files)
            if Path(name).suffix.lower() in LABEL_TABLES and not is_system(name)
        ]
        if len(below) >= MOST_TABLES:
            break
    return below[:MOST_TABLES]


def labels_of_folders(path: Path, names: Collection[str], header: Header) -> tuple[str, str] | None:
    """Return the column of a table that names folders, one a row, and a column with their classes; None without.

    So a table of patients labels the folders of their images. Of a few folders that are not numbered it may describe classes.
    """
    if len(names) < MANY_FOLDERS and not are_numbered(names) and not are_numbers(names):
        return None
    try:
        table = tables.read_csv(path, header=header)
    except DataError:
        return None
    keys = [column for column in table if set(names) <= set(table[column]) and table[column].is_unique]
    labels = [column for column in table if column not in keys and holds_classes(table[column])]
    return (keys[0], labels[0]) if keys and labels else None


def read_naming(path: Path, choices: Choices, top: Path | None = None) -> NamingCsv | None:
    """Return the CSV at `path` if it names images; `top` is a folder that is not left in search of them."""
    table = tables.read_csv(path, header=choices.header)
    rest = table.drop(columns=[column for column in choices.exclude if column in table])
    try:
        column = find_dicom_column(rest, path, choices.images, top) if may_be_dicom_csv(rest) else None
        column = column or find_image_column(rest, path, choices.images, top)
    except UnmatchedError as error:
        column = image_column_or(f"{path.as_posix()}: {error}", rest, path, choices, top)
    return NamingCsv(path, table, column) if column else None


def image_column_or(unmatched: str, table: pd.DataFrame, path: Path, choices: Choices, top: Path | None) -> ImageColumn:
    """Return the column that names image files; without one raise UnmatchedError with the text `unmatched`."""
    try:
        column = find_image_column(table, path, choices.images, top)
    except AmbiguousImageError:
        raise
    except DataError:
        column = None
    if column is None:
        raise UnmatchedError(unmatched)
    return column


def may_be_dicom_csv(table: pd.DataFrame) -> bool:
    """Return whether a CSV has a column that may be an identifier of DICOM files, and none that names files."""
    names = {plain(name) for name in table}
    return bool(names & PERSONAL) and not any(have_suffix(table[name]) for name in table)


def find_dicom_column(table: pd.DataFrame, path: Path, images: str | None, top: Path | None) -> ImageColumn | None:
    """Return the column by whose identifiers a CSV names DICOM files; None where there are no such files."""
    for root, folder in places(path, images, top):
        if Path.cwd().resolve().is_relative_to(root.resolve()):
            continue  # the whole project
        match = DicomIndex(root, [folder]).find_column(table)
        if match is not None:
            return ImageColumn(match[0], root, path.relative_to(root).as_posix(), [folder], match=match[1])
    return None


def naming_csvs(folder: Path, choices: Choices, top: Path | None = None) -> list[NamingCsv]:
    """Return the CSVs in a folder, or below it, that name images; several only if they are the parts of one shipped split.

    Among several, those without labels do not count.
    """
    csvs = []
    for path in tables_below(folder):
        try:
            csv = read_naming(path, choices, top if path.parent == folder else top or folder)
        except (AmbiguousImageError, UnmatchedError):
            raise
        except (DataError, OSError):
            continue  # a stray file: the scan passes it over
        if csv is not None:
            csvs.append(csv)
    if csvs and csvs[0].path.parent != folder:  # below: of all images, not a list within one class
        n_images = len(list_images(top or folder, "."))
        csvs = csvs if sum(len(csv.table) for csv in csvs) >= n_images / 2 else []
    if len(csvs) > 1 and not choices.folders:
        csvs = [csv for csv in csvs if csv.column.column == "path" or has_labels(csv)]
    if len(csvs) < 2:
        return csvs
    subsets = split_names([csv.path.stem for csv in csvs])
    if len(subsets) == len(csvs) and len(set(subsets.values())) == len(csvs) and "train" in subsets.values():
        return sorted(csvs, key=lambda csv: ("train", "valid", "test").index(subsets[csv.path.stem]))
    names = ", ".join(csv.path.name for csv in csvs)
    same = " have a column 'path'" if all(csv.column.column == "path" for csv in csvs) else " name images"
    raise DataError(f"{folder.as_posix()}: {names}{same}; give the one that is meant")


def has_labels(csv: NamingCsv) -> bool:
    """Return whether a CSV that names images has labels of two classes or more; several labels an image count, too."""
    table = csv.table.drop(columns=csv.column.column)
    try:
        roles = name_labels(table, csv.path, None, None)
    except (MultiLabelError, ShippedColumnError):
        return True
    except DataError:
        return False
    return bool(roles.one_hot) or holds_classes(table[roles.label])


def find_parts(
    csv: NamingCsv, read: JSON, choices: Choices, others: list[NamingCsv] | None, top: Path | None
) -> tuple[dict[str, NamingCsv], list[str]]:
    """Return the CSVs next to a training CSV that are its shipped valid and test parts, and warnings on those not used."""
    stems = {
        path.stem: path for path in sorted(csv.path.parent.iterdir()) if path.suffix.lower() == csv.path.suffix.lower()
    }
    subsets = split_names(list(stems))
    if subsets.get(csv.path.stem) != "train" or "shipped" in read:
        return {}, []
    parts: dict[str, NamingCsv] = {}
    warnings = []
    for stem, subset in subsets.items():
        if subset == "train" or subset in parts:
            continue
        name = f"{stems[stem].name} looks like the shipped {subset} part"
        try:
            known = next((other for other in others or [] if other.path == stems[stem]), None)
            part = known or read_naming(stems[stem], choices, top)
        except DataError as error:
            warnings.append(f"{name}, but is not read: {error}")
            continue
        reason = reason_to_leave(part, csv, read)
        if part is None or reason:
            warnings.append(f"{name}, but {reason}: it is not read")
        else:
            parts[subset] = part
    return parts, warnings


def reason_to_leave(part: NamingCsv | None, csv: NamingCsv, read: JSON) -> str:
    """Return why a CSV is not another part of the shipped split that begins with `csv`, "" where it is."""
    needed = [read["label"]] if "label" in read else read.get("one_hot", [])
    if part is None or part.column.column != csv.column.column:
        return f"names no images in a column {csv.column.column!r}"
    if not set(needed) <= set(part.table):
        return "has no labels"
    if "label" in read and part.table[read["label"]].isin(missing_in(part.table[read["label"]], of_label=True)).all():
        return "its labels are empty"
    if part.column.raw != csv.column.raw:
        return "its images lie elsewhere"
    return ""
