"""Inspect a data set before a task is made of it: files are only read, and of images only the headers.

Supported are folders of classes and shipped splits, a CSV that names images, an archive of these (see `image_source`), and a
table of features.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from pipeline.core.artifacts import JSON
from pipeline.core.errors import DataError
from pipeline.core.parallel import run_parallel
from pipeline.data import folder_layout, tables
from pipeline.data.columns.column_roles import columns_of
from pipeline.data.columns.label_spelling import about_similar
from pipeline.data.columns.one_label import check_joined
from pipeline.data.columns.words import plain
from pipeline.data.dicom import dicom_samples
from pipeline.data.dicom import headers as dicom_headers
from pipeline.data.dicom.dicom_index import PERSONAL
from pipeline.data.folders.folder_names import subset_of
from pipeline.data.images import decoding, image_file
from pipeline.data.images.pixel_rule import PixelRule
from pipeline.data.images.proposal import propose
from pipeline.data.samples import scan_table, task_params
from pipeline.data.tabular.files import SUFFIXES, read_table
from pipeline.data.wording import about_columns, about_samples, counted, empty_cells, listing, sizes, some
from pipeline.tasks.choices import (
    Choices,
    about_group,
    check_visits,
    decided,
    exclude,
    find_no_features,
    search_paths,
    search_rows,
    search_site,
)
from pipeline.tasks.image_source import ImageSource, find_source, to_raw

FEW = 60  # samples without a group: with fewer in a class, the hash may put none of it in the test set
BATCH = 64  # files that a worker reads at once


@dataclass(frozen=True)
class InspectedData:
    """A data set: `kind`, `raw` and `read` as in params.yaml, and a description of it as lines of (title, text).

    `samples` has a row per sample: path, label, group, shipped, id (see `set_ids`) and error, all text. `is_grey`: of images,
    whether nearly all files have one channel.
    """

    kind: str
    raw: str
    read: JSON
    samples: pd.DataFrame
    lines: list[tuple[str, str]]
    is_grey: bool = False


def inspect(
    path: str, label: str | None, group: str | None, workers: int, choices: Choices | None = None
) -> InspectedData:
    """Return the data set at `path`; `label` and `group` are columns of its CSV, or None to guess them.

    Raises DataError, as the scan would, if no task can be made of it.
    """
    choices = replace(choices or Choices(), group=group)
    root = Path(path)
    if not root.exists():
        raise DataError(f"{path}: there is no such file or folder")
    if not root.is_dir() and not root.is_file():
        raise DataError(f"{path}: is neither a folder nor a file")
    source = find_source(root, label, choices)
    return inspect_images(source, choices, workers) if source else inspect_table(root, label, choices)


def inspect_images(source: ImageSource, choices: Choices, workers: int) -> InspectedData:
    """Return the data set of images in folders, a CSV or an archive."""
    read, raw, root, csv = dict(source.read), to_raw(source.raw), source.folder, source.read.get("csv")
    columns = list(source.lines)
    listed, skipped = folder_layout.list_samples(task_params("image", raw, read), "")
    of_dicom = dicom_headers.read_headers(root, (sample.path for sample in listed))
    attribute = dicom_samples.group_attribute(list(of_dicom.values()))
    if attribute and not choices.has_group and plain(read.get("group", "PatientID")) in PERSONAL:
        read = {key: value for key, value in read.items() if key not in ("group", "group_from")} | {
            "dicom_group": attribute
        }
        listed, skipped = folder_layout.list_samples(task_params("image", raw, read), "")
    columns += dicom_samples.about(of_dicom, task_params("image", raw, read).read)
    proposed = propose([root / sample.path for sample in listed], workers)
    read |= proposed.block
    rule, grouping = PixelRule(proposed.intensity), None
    if not choices.has_group and not {"group", "group_from", "dicom_group"} & set(read):
        n_levels = (
            len(read["folders"].split("/")) if "folders" in read else 1 + any(sample.shipped for sample in listed)
        )
        grouping = search_paths(root, listed, 0 if csv else n_levels, workers, rule)
        read |= grouping.to_read()
        check_visits(pd.DataFrame([sample.extra for sample in listed]), grouping, root)
        if grouping.is_known:
            listed, skipped = folder_layout.list_samples(task_params("image", raw, read), "")
    if "group" in read and not choices.has_group:
        joined = search_site(listed, read["group"])
        if joined.group_with:
            read, grouping = read | joined.to_read(), joined
            columns = [line for line in columns if line[0] != "group"]
            listed, skipped = folder_layout.list_samples(task_params("image", raw, read), "")
    columns += about_group(read, grouping)
    facts = read_headers([root / sample.path for sample in listed], workers)
    samples = pd.DataFrame(
        {
            **{name: [getattr(s, name) for s in listed] for name in ("path", "label", "group", "shipped")},
            "id": [sample.path for sample in listed],
            "error": [fact if isinstance(fact, str) else "" for fact in facts],
        }
    )
    set_ids(samples, root, rule)
    headers = [fact for fact in facts if not isinstance(fact, str)]
    where = f"listed in {csv}" if csv else "in class folders"
    lines = [("warning", message) for message in [*source.warnings, about_similar(samples["label"])]]
    lines += [("found", f"{len(samples)} images {where}"), *columns, *about_samples(samples)]
    lines += [
        ("sizes", sizes([header[:2] for header in headers])),
        ("modes", counted(header[2] for header in headers)),
        ("formats", counted(header[3] for header in headers)),
        *proposed.lines,
        ("skipped", listing([(skip.path, skip.reason) for skip in skipped if "(read.skip)" not in skip.reason])),
    ]
    if csv:
        n_csvs = sum(key in read for key in ("csv", "valid_csv", "test_csv"))
        n_others = sum(len(files) for _, _, files in os.walk(root)) - len(samples) - n_csvs
        lines.append(("not listed", f"{n_others} more files in the folder: ignored" if n_others > 0 else ""))
    return InspectedData("image", raw, read, samples, lines, are_grey([header[2] for header in headers]))


def are_grey(modes: list[str]) -> bool:
    """Return whether at least nine of ten modes, named as Pillow does, have one channel."""
    return sum(mode in ("1", "L", "LA", "F") or mode.startswith("I") for mode in modes) >= 0.9 * max(1, len(modes))


def set_ids(samples: pd.DataFrame, root: Path, rule: PixelRule) -> None:
    """Set the ids of images in classes of few groups, by which the split will divide them; others keep their path as id.

    An id needs decoding, which is too slow for all files; with many samples any text shows how the hash will divide them.
    Damaged files are marked as errors.
    """
    good = samples[samples["error"] == ""]
    for _, of_label in good.groupby("label"):
        alone = of_label[of_label["group"] == ""]
        for row, path in alone["path"].items() if len(alone) < FEW else ():
            try:
                samples.loc[row, "id"] = decoding.decode(image_file.read(root / path), rule).id
            except DataError as error:
                samples.loc[row, "error"] = str(error)


def read_headers(paths: list[Path], workers: int) -> list[tuple[int, int, str, str] | str]:
    """Return (width, height, mode, format) of each file, or the reason why it cannot be read."""
    batches = [paths[start : start + BATCH] for start in range(0, len(paths), BATCH)]
    headers = run_parallel(lambda batch: [read_header(path) for path in batch], batches, workers)
    return [header for batch in headers for header in batch]


def read_header(path: Path) -> tuple[int, int, str, str] | str:
    """Return (width, height, mode, format) of a file, or the reason why it cannot be read."""
    try:
        if path.exists() and not path.is_file():
            return "is not a regular file"  # reading a pipe would never end
        return decoding.read_header(path)
    except OSError as error:
        return f"cannot be opened ({error.strerror})"
    except DataError as error:
        return str(error)


def about_neighbour(path: Path) -> str:
    """Return a warning where another table next to this one is named like the other part of its split, else ""."""
    subset = subset_of(path.stem)
    tables_next = sorted(entry.name for entry in path.absolute().parent.iterdir() if entry.suffix.lower() in SUFFIXES)
    others = [name for name in tables_next if subset and subset_of(Path(name).stem) not in ("", subset)]
    if not others:
        return ""
    return (
        f"{path.name} looks like one part of a shipped split; {others[0]} next to it is not read. To use both, put them into one "
        "table with a column 'split' of train and test"
    )


def inspect_table(path: Path, label: str | None, choices: Choices) -> InspectedData:
    """Return the data set of a table of features."""
    file = read_table(path, header=choices.header)
    table = tables.with_decimal_points(file)
    for column in (*choices.exclude, *choices.keep):
        tables.require_column(table, column, path, "--exclude or --keep")
    label = choices.label_of(table, label)
    roles = columns_of(table.drop(columns=list(choices.exclude)), path, label, choices.group)
    if roles.label:
        check_joined(table[roles.label], roles.label, path)
    read, grouping = decided(roles.as_read(), choices), None
    read |= {"header": choices.header} if choices.header != "first" else {}
    read |= {"exclude": list(choices.exclude)} if choices.exclude else {}
    if not choices.has_group:
        grouping = search_rows(table.drop(columns=list(choices.exclude)), read)
        read |= grouping.to_read()
        check_visits(table, grouping, path)
    scanned = scan_table(task_params("table", to_raw(path), read), "", file)
    samples, features = scanned.samples, scanned.features
    no_features, kept = find_no_features(features, samples["label"].tolist(), samples["group"].tolist())
    excluded, left_out = exclude(no_features, choices)
    if len(excluded) > len(choices.exclude):
        read["exclude"] = excluded
        scanned = scan_table(task_params("table", to_raw(path), read), "", file)
        samples, features = scanned.samples, scanned.features
    typed = tables.typed(features)
    numbers = [name for name in typed if tables.is_number(typed[name])]
    constant = [name for name in typed if typed[name].nunique() < 2]
    named = {key: column for key, column in read.items() if key != "group" or choices.group}
    lines = [
        ("found", f"{len(table)} rows of {len(features.columns)} features"),
        *about_columns(roles, named, label, choices.group),
        *about_group(read, grouping),
        *left_out,
        *kept,
        *about_samples(samples),
        ("numbers", some(numbers)),
        ("categories", some([name for name in typed if name not in numbers])),
        ("empty cells", some([f"{name} {n}" for name, n in empty_cells(features).items()])),
        ("constant", some(constant) and f"{some(constant)}: carry no information"),
        *(("warning", str(notice)) for notice in scanned.notices),
        ("warning", about_neighbour(path)),
        ("warning", about_similar(samples.loc[samples["label"] != "", "label"])),
    ]
    return InspectedData("table", to_raw(path), read, samples, lines)
