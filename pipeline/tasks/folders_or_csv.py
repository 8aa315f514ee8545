"""Class folders and a CSV that names the images in them: which of the two holds the labels."""

from pathlib import Path

import pandas as pd

from pipeline.core.errors import DataError
from pipeline.core.read_params import ReadParams
from pipeline.data.columns.group_names import find_named
from pipeline.data.columns.label_columns import name_labels
from pipeline.data.columns.one_label import MultiLabelError
from pipeline.data.columns.shipped_column import ShippedColumnError
from pipeline.data.folders.class_folders import FolderReading, read_folders
from pipeline.data.folders.folder_names import are_folds, are_numbered
from pipeline.data.folders.image_names import ImageIndex
from pipeline.data.wording import some
from pipeline.tasks.choices import Choices
from pipeline.tasks.naming_csv import NamingCsv

SAME = 0.95  # share of the images that a CSV labels like their folders


def choose_reading(
    folder: Path, path: Path, csvs: list[NamingCsv], label: str | None, choices: Choices
) -> FolderReading | None:
    """Return the class folders where these are meant rather than a CSV; raise DataError where both are possible and differ."""
    settings = ReadParams(folders=choices.folders, skip=choices.skip)
    if not csvs:
        return read_folders(folder, settings, path.as_posix(), is_new=True)
    if label or choices.images:
        return None
    try:
        reading = read_folders(folder, settings, path.as_posix(), is_new=True)
    except DataError:
        return None
    classes = {sample.path: sample.label for sample in reading.samples}
    if len(set(classes.values())) < 2:
        return None
    try:
        named = name_labels(csvs[0].others(choices), csvs[0].path, label, choices.group)
    except (MultiLabelError, ShippedColumnError):
        raise
    except DataError:
        check_patients(csvs[0], choices, reading)
        return None if csvs[0].column.column == "path" else reading
    if (
        csvs[0].column.column == "path"
        or named.label is None
        or are_numbered(set(classes.values()))
        or are_folds(set(classes.values()))
    ):
        return None
    if labels_agree(csvs[0], csvs[0].table[named.label], folder, classes):
        return None
    name = csvs[0].path.name
    raise DataError(
        f"{path.as_posix()}: the folders {some(sorted(set(classes.values())), 4)} look like classes, but {name} names the same "
        f"images and labels them otherwise (column {named.label!r}). The CSV: give {csvs[0].path.as_posix()}. The folders: "
        f"--folders {reading.roles.folders} (read.folders)"
    )


def check_patients(csv: NamingCsv, choices: Choices, reading: FolderReading) -> None:
    """Raise DataError where a CSV without labels says whose the images in class folders are: that must not get lost."""
    groups = [] if choices.has_group else find_named(csv.others(choices))
    if groups and groups[0].certain:
        raise DataError(
            f"{csv.path.as_posix()}: names the images and their groups (column {groups[0].column!r}), but no classes, which are "
            "the folders. Add a column with the class of each image, and give this file. Where each image is another patient: "
            f"--folders {reading.roles.folders} --no-group"
        )


def labels_agree(csv: NamingCsv, labels: pd.Series, folder: Path, classes: dict[str, str]) -> bool:
    """Return whether each class folder holds one label of a CSV."""
    index = ImageIndex(folder, csv.column.images or ["."])
    pairs: dict[tuple[str, str], int] = {}
    for cell, label in zip(csv.table[csv.column.column], labels, strict=True):
        hits = index.find(cell)
        if len(hits) == 1 and hits[0] in classes:
            key = (classes[hits[0]], label)
            pairs[key] = pairs.get(key, 0) + 1
    best: dict[str, int] = {}
    for (name, _), n_images in pairs.items():
        best[name] = max(best.get(name, 0), n_images)
    n_labels = len({label for (_, label) in pairs})
    return n_labels >= len(best) and sum(best.values()) >= SAME * sum(pairs.values())
