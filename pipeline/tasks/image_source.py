"""Where the images and labels of a new image task come from: class folders, a CSV that names images, or an archive of these."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.core.artifacts import JSON
from pipeline.core.errors import DataError
from pipeline.data.columns.label_columns import name_labels, other_names_of_label
from pipeline.data.columns.words import SHIPPED, plain
from pipeline.data.dicom.dicom_index import PERSONAL
from pipeline.data.folders import archives
from pipeline.data.folders.class_folders import FolderReading
from pipeline.data.folders.folder_names import split_names, subset_of
from pipeline.data.folders.image_csv import have_suffix
from pipeline.data.wording import about_columns, some
from pipeline.tasks.choices import Choices, decided
from pipeline.tasks.folders_or_csv import choose_reading
from pipeline.tasks.naming_csv import (
    LABEL_TABLES,
    NamingCsv,
    csv_folder,
    find_parts,
    labels_of_folders,
    naming_csvs,
    read_naming,
)


@dataclass(frozen=True)
class ImageSource:
    """Where images come from.

    raw : the path of params.yaml, as the user gave it or wider
    folder : where the files are
    read : the block of params.yaml
    lines : (title, text) on columns
    warnings : what needs the user's attention
    """

    raw: Path
    folder: Path
    read: JSON
    lines: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def find_source(path: Path, label: str | None, choices: Choices) -> ImageSource | None:
    """Return the source of the images at a path; None where it is a table of features.

    Raises DataError where more than one reading is possible.
    """
    if path.name.upper() == "DICOMDIR":
        path = path.parent
    if path.is_file() and not archives.is_archive(path):
        csv = read_naming(path, choices)
        if csv is None and choices.images:
            raise DataError(f"{path.as_posix()}: no column names files in {choices.images}")
        return from_csv(csv, label, choices) if csv else None
    folder = archives.folder_of(path)
    raw = path if folder != path else None
    start = csv_folder(folder)
    top = folder if raw or start != folder else None
    csvs = [] if choices.folders else naming_csvs(start, choices, top)
    top = folder if csvs and (top or csvs[0].path.parent != folder) else None
    reading = choose_reading(folder, path, csvs, label, choices)
    if reading is not None:
        if label or choices.group:
            raise DataError(
                f"{path.as_posix()}: --label and --group name columns of a CSV; there is none with a column 'path', or of "
                "another name, that finds images"
            )
        return from_class_folders(reading, path, folder, choices)
    return from_csv(csvs[0], label, choices, raw, top, csvs[1:])


def from_class_folders(reading: FolderReading, path: Path, folder: Path, choices: Choices) -> ImageSource:
    """Return the source of class folders, with what their levels were taken for."""
    roles = reading.roles
    others = [] if choices.folders else tables_in(csv_folder(folder))
    labels = {sample.label for sample in reading.samples}
    lists = [] if choices.folders else sorted(entry.name for entry in csv_folder(folder).glob("*.txt"))
    if len(labels) == 1 and lists and not others:
        raise DataError(
            f"{path.as_posix()}: only one class folder ({min(labels)}); {some(lists, 3)} next to it is not read. If it lists "
            "images and labels, write it as a CSV with a header, for instance image,label"
        )
    if len(labels) == 1 and others:
        raise DataError(
            f"{path.as_posix()}: only one class folder ({min(labels)}), and {some(others, 3)} next to it names no image in it by "
            "any column; expected file names, with or without suffix, or two class folders"
            + reason_unread(csv_folder(folder) / others[0], choices)
        )
    check_labelled(path, csv_folder(folder), others, labels, choices, roles.folders)
    read: JSON = {}
    tops = {sample.path.split("/")[0].lower() for sample in reading.samples}
    usual = roles.folders == "class" or (roles.folders == "split/class" and tops <= set(SHIPPED))
    if choices.folders or not usual:
        read["folders"] = roles.folders
    if roles.skip or choices.skip is not None:
        read["skip"] = roles.skip or ""  # an empty one: no masks are sought
    if roles.group_from and not choices.has_group:
        read["group_from"] = roles.group_from
    lines = []
    if "folders" in read:
        lines.append(("folders", f"{roles.folders}; --folders reads them otherwise"))
    warnings = list(reading.notes)
    left_out = [skip.path for skip in reading.skipped if "(read.skip)" in skip.reason]
    if left_out:
        warnings.append(
            f"{len(left_out)} images are masks or otherwise no samples and left out, the first {left_out[0]} (read.skip; "
            "--skip REGEX leaves out others)"
        )
    warnings += [
        f"{name} next to the class folders is not read. If it holds the labels: a CSV with a column that names the images "
        "is expected"
        for name in others
    ]
    lists = [entry.name for entry in sorted(csv_folder(folder).glob("*.txt")) if subset_of(entry.stem)]
    if lists and not {sample.shipped for sample in reading.samples} - {""}:
        warnings.append(
            f"{some(lists)}: not read; to keep a shipped split that it lists, put the images into train/ and test/"
        )
    neighbour = neighbouring_split(path)
    if neighbour and not {sample.shipped for sample in reading.samples} - {""}:
        warnings.append(
            f"{path.name} looks like one part of a shipped split; {neighbour} next to it is not read. Give the folder above to "
            "use both"
        )
    return ImageSource(path, folder, read | decided({}, choices), lines, warnings)


def check_labelled(
    path: Path, folder: Path, names: list[str], classes: set[str], choices: Choices, levels: str
) -> None:
    """Raise DataError where a table next to class folders says the classes of these folders, which then are patients."""
    for name in names:
        columns = labels_of_folders(folder / name, classes, choices.header)
        if columns:
            raise DataError(
                f"{path.as_posix()}: column {columns[0]!r} of {name} names the folders {some(sorted(classes), 3)}, and column "
                f"{columns[1]!r} seems to hold their classes. Write a row for each image: its path, its folder and its class. If "
                f"the folders are the classes: --folders {levels} (read.folders)"
            )


def reason_unread(path: Path, choices: Choices) -> str:
    """Return why a table cannot be read, "" where it can."""
    try:
        read_naming(path, choices)
    except DataError as error:
        return f". {error}"
    return ""


def tables_in(folder: Path) -> list[str]:
    """Return the names of the files in a folder that may hold labels."""
    return sorted(entry.name for entry in folder.iterdir() if entry.suffix.lower() in LABEL_TABLES)


def neighbouring_split(path: Path) -> str:
    """Return a folder next to this one that is another part of the same shipped split, "" where there is none."""
    above = path.absolute().parent
    if not path.is_dir() or above == path.absolute():
        return ""
    subsets = split_names([entry.name for entry in above.iterdir() if entry.is_dir()])
    others = [name for name, subset in subsets.items() if subset != subsets.get(path.absolute().name, subset)]
    return min(others, default="") if path.absolute().name in subsets else ""


def from_csv(
    csv: NamingCsv,
    label: str | None,
    choices: Choices,
    raw: Path | None = None,
    top: Path | None = None,
    others: list[NamingCsv] | None = None,
) -> ImageSource:
    """Return the source of a CSV that names images, with the CSVs that are the other parts of its shipped split."""
    folder = top or csv.column.raw
    columns = csv.others(choices)
    label = choices.label_of(columns, label)
    roles = name_labels(columns, csv.path, label, choices.group)
    read = decided(roles.as_read(), choices)
    parts, warnings = find_parts(csv, read, choices, others, top)
    warnings += about_unread(csv, parts, read, warnings)
    images = list(dict.fromkeys(name for part in (csv, *parts.values()) for name in part.column.images))
    block: JSON = {"csv": csv.path.relative_to(folder).as_posix() if top else csv.column.csv}
    block |= {f"{subset}_csv": part.path.relative_to(folder).as_posix() for subset, part in parts.items()}
    if csv.column.column != "path":
        block["path_column"] = csv.column.column
    if csv.column.match:
        block["match"] = csv.column.match
    if images:
        block["images"] = images
    taken = {csv.column.column, *(value for value in read.values() if isinstance(value, str)), *read.get("one_hot", [])}
    personal = PERSONAL if csv.column.match else ()
    rest = [name for name in csv.table if name not in taken and plain(name) not in personal]
    lines = about_columns(roles, read, label, choices.group)
    if "one_hot" in read:
        lines.insert(
            0, ("label", f"the columns {some(read['one_hot'])} are one label (one-hot; --label takes another)")
        )
    if csv.column.column != "path" or images:
        where = f" in {some(images, 4)}" if images and images != ["."] else ""
        where += f", the {csv.column.match} of DICOM files" if csv.column.match else ""
        lines.append(("images", f"named by column {csv.column.column!r}{where}; --images DIR names another folder"))
    if csv.column.moved:
        cell, file = csv.column.moved
        warnings.append(f"column {csv.column.column!r} holds no paths from this folder: {cell} is taken as {file}")
    if parts:
        names = ", ".join(f"{part.path.name} ({subset})" for subset, part in parts.items())
        lines.append(("csv", f"{csv.path.name} (train), {names}: a shipped split"))
    unread = [name for name in rest if have_suffix(csv.table[name])]
    if unread:
        warnings.append(
            f"{some(unread)}: names files, too, which are not read: a sample is one image, that of {csv.column.column!r}"
        )
    lines.append(("kept", f"{some(rest)}: in samples.csv, for later use" if rest else ""))
    telling = other_names_of_label(csv.table[rest], csv.table[read["label"]]) if "label" in read else []
    if telling:
        warnings.append(f"{some(telling)}: the label by another name; never use them as clinical columns")
    if choices.header != "first":
        block["header"] = choices.header
    return ImageSource(raw or folder, folder, block | read, lines, warnings)


def about_unread(csv: NamingCsv, parts: dict[str, NamingCsv], read: JSON, warnings: list[str]) -> list[str]:
    """Return a warning on other tables next to a CSV without a column of groups: these may name the patients."""
    used = {csv.path.name, *(part.path.name for part in parts.values())}
    others = [
        name for name in tables_in(csv.path.parent) if name not in used and not any(name in text for text in warnings)
    ]
    if not others or "group" in read or "no_group" in read:
        return []
    return [
        f"{some(others, 3)} next to {csv.path.name} not read; a column of patients or lesions in it has to be in {csv.path.name}"
    ]


def to_raw(path: Path) -> str:
    """Return a path for params.yaml: relative inside the project, absolute outside, where copies of the project find it too."""
    absolute = Path(os.path.abspath(path))
    return (absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else absolute).as_posix()
