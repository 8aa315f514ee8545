"""The samples at any path, with no task set up: images in a folder, a CSV that names images, a CSV of rows."""

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from pipeline.core.errors import DataError
from pipeline.data import folder_layout, tables
from pipeline.data.columns.column_roles import columns_of, guess_group
from pipeline.data.columns.id_columns import find_ids
from pipeline.data.columns.label_names import named_label
from pipeline.data.columns.shipped_column import ShippedColumnError, find_shipped
from pipeline.data.columns.words import SHIPPED
from pipeline.data.dicom import dicom_samples
from pipeline.data.dicom.headers import read_headers
from pipeline.data.folders import sample_files
from pipeline.data.folders.archives import folder_of, is_archive
from pipeline.data.folders.class_folders import read_folders
from pipeline.data.folders.image_csv import find_image_column
from pipeline.data.folders.image_names import ImageIndex
from pipeline.data.folders.sample_files import Sample, Skipped
from pipeline.data.grouping.group_cells import read_groups
from pipeline.data.tabular.files import SUFFIXES
from pipeline.duplicates.group_search import search_table


@dataclass(frozen=True)
class AnySamples:
    """What lies at a path.

    root : the folder of the images, None for a table
    samples : path, label, group and shipped, "" where unknown, `site` where the CSV has it, and for tables id and error; the
        group of DICOM files is a number for their PatientID, or their study where they have no other
    skipped : the files that are no samples
    features : those of a table, as text
    """

    root: Path | None
    samples: pd.DataFrame
    skipped: list[Skipped] = field(default_factory=list)
    features: pd.DataFrame | None = None


def collect(path: Path) -> AnySamples:
    """Return the samples at any path; raise DataError for what is neither images nor a table."""
    collected = collect_named(path)
    if collected.root is None or (collected.samples["group"] != "").any():
        return collected
    headers = read_headers(collected.root, collected.samples["path"])
    attribute = dicom_samples.group_attribute(list(headers.values()))
    if attribute is None:
        return collected
    print(f"{path.as_posix()}: group is the {attribute} of DICOM files", file=sys.stderr)
    groups = collected.samples["path"].map(dicom_samples.numbered(headers, attribute)).fillna("")
    return replace(collected, samples=collected.samples.assign(group=groups))


def collect_named(path: Path) -> AnySamples:
    """Return the samples at any path, their group by columns alone."""
    if path.is_dir():
        csv = folder_layout.find_csv(path)
        if csv:
            return collect_named(path / csv)
        samples, skipped = from_folder(path)
        return AnySamples(path, to_table(samples), skipped)
    if not path.exists():
        raise DataError(f"{path.as_posix()}: there is no such file, folder or task")
    if is_archive(path):
        samples, skipped = from_folder(folder_of(path))
        return AnySamples(folder_of(path), to_table(samples), skipped)
    if path.suffix.lower() not in SUFFIXES:
        raise DataError(f"{path.as_posix()}: is neither a folder nor a table ({', '.join(SUFFIXES)})")
    table = tables.read_csv(path)
    images = find_image_column(table, path)
    if images is None:
        return from_table(table, path)
    index = ImageIndex(images.raw, images.images) if images.images else None
    if index is not None:
        cells = [
            index.resolve(cell, f"{path.as_posix()}: row {n}") for n, cell in enumerate(table[images.column], start=1)
        ]
        table = table.drop(columns=[column for column in {"path", images.column} if column in table]).assign(path=cells)
    elif images.column != "path":
        table = table.drop(columns="path", errors="ignore").rename(columns={images.column: "path"})
    return AnySamples(images.raw, to_table(from_csv(table, path)))


def from_folder(root: Path) -> tuple[list[Sample], list[Skipped]]:
    """Return the images of class folders or shipped splits; where there are no class folders, all images there are."""
    try:
        reading = read_folders(root)
    except DataError as error:  # to be decided when a task is made of it; duplicates are found without classes
        print(f"{error}. Audited without classes", file=sys.stderr)
    else:
        if reading.samples:
            return reading.samples, reading.skipped
    samples, skipped = [], []
    for path in sample_files.walk(root):
        parts = path.split("/")
        reason = sample_files.reason_to_skip(parts, ["no class"])
        if reason:
            skipped.append(Skipped(path.replace("\r", "?"), reason))
        else:
            samples.append(Sample(path, "", shipped=SHIPPED.get(parts[0].lower(), "") if len(parts) > 1 else ""))
    if not samples:
        raise DataError(f"{root.as_posix()}: no image found; expected images, in class folders or without")
    return samples, skipped


def from_csv(table: pd.DataFrame, path: Path) -> list[Sample]:
    """Return the images that a CSV names; label, group and split are recognised by the names of columns alone."""
    rest = without_unclear_split(table.drop(columns="path"), path)
    roles = {"label": named_label(rest), "group": guess_group(rest), "shipped": find_shipped(rest, path)}
    columns = {key: column for key, column in roles.items() if column}
    tell(columns, path)
    samples = []
    for number, row in enumerate(table.to_dict("records"), start=1):
        known = {key: row[column] for key, column in columns.items()}
        if "shipped" in known:
            known["shipped"] = folder_layout.shipped_name(known["shipped"], path, number)
        extra = {"site": row["site"]} if "site" in row else {}
        samples.append(Sample(folder_layout.inside(row["path"], path, number), extra=extra, **({"label": ""} | known)))
    folder_layout.check_unique([sample.path for sample in samples], path)
    return samples


def without_unclear_split(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return a table without columns that look like a shipped split and do not say which part a row is of; these are reported."""
    while True:
        try:
            find_shipped(table, path)
        except ShippedColumnError as error:
            print(f"{path.as_posix()}: audited without column {error.column!r}, an unclear split", file=sys.stderr)
            table = table.drop(columns=error.column)
        else:
            return table


def to_table(samples: list[Sample]) -> pd.DataFrame:
    """Return samples as a table sorted by path."""
    keys = ("path", "label", "group", "shipped")
    rows = [{key: getattr(sample, key) for key in keys} | sample.extra for sample in samples]
    return pd.DataFrame(rows).sort_values("path", ignore_index=True)


def from_table(table: pd.DataFrame, path: Path) -> AnySamples:
    """Return a sample for each row of a table, its id the hash of its features.

    Columns that are the label by another name, ids and dates are no features.
    """
    table = without_unclear_split(table, path)
    try:
        columns = columns_of(table, path, None, None).as_read()
    except DataError:  # no label: all columns are features
        columns = {}
    rest, pattern = table.drop(columns=list(columns.values())), None
    if "group" not in columns and len(rest.columns):
        grouping = search_table(rest, 0, table[columns["label"]].tolist() if "label" in columns else None)
        columns |= {"group": grouping.column} if grouping.column else {}
        pattern = grouping.pattern
    features = rest.drop(columns=[columns.get("group")], errors="ignore")
    features = features.drop(columns=[id_column.column for id_column in find_ids(features)])
    if not len(features.columns):
        raise DataError(f"{path.as_posix()}: has no column besides {', '.join(table)}; expected at least one feature")
    tell(columns, path)
    print(f"{path.as_posix()}: rows are compared by {len(features.columns)} columns", file=sys.stderr)
    rows = range(1, len(table) + 1)
    ids = tables.number_equal_rows(tables.row_ids(features))
    samples = pd.DataFrame({"id": ids, "path": [f"row {row}" for row in rows], "error": ""})
    samples["label"] = table[columns["label"]] if "label" in columns else ""
    samples["group"] = read_groups(table[columns["group"]].tolist(), pattern) if "group" in columns else ""
    words = table[columns["shipped"]] if "shipped" in columns else [""] * len(table)
    samples["shipped"] = [
        word and folder_layout.shipped_name(word, path, n) for n, word in zip(rows, words, strict=True)
    ]
    return AnySamples(None, samples, features=features)


def tell(columns: dict[str, str], path: Path) -> None:
    """Print which columns were taken for what."""
    roles = ", ".join(f"{key} is {column!r}" for key, column in columns.items())
    print(f"{path.as_posix()}: {roles or 'no label, group or split by the names of its columns'}", file=sys.stderr)
