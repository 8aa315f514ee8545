"""The samples at any path, with no task set up: pictures in a folder, a CSV that names pictures, a CSV of rows."""

import sys
from pathlib import Path

import pandas as pd

from pipeline.core.errors import DataError
from pipeline.data import folder_layout, tables
from pipeline.data.column_roles import LABELS, NUMBERS, SPLITS, columns_of, guess_group, named
from pipeline.data.folder_layout import SHIPPED, Sample, Skipped


def collect(place: Path) -> tuple[Path | None, pd.DataFrame, list[Skipped]]:
    """Return the folder of the pictures (None for a table), the samples and the files passed over.

    Of samples there are path, label, group and shipped, "" where unknown, `site` where the CSV has it, and for tables id and
    error. Raises DataError for what is neither pictures nor a table.
    """
    if place.is_dir():
        csv = folder_layout.find_csv(place)
        if csv:
            return collect(place / csv)
        samples, skipped = from_folder(place)
        return place, to_table(samples), skipped
    if not place.exists():
        raise DataError(f"{place.as_posix()}: there is no such file, folder or task")
    if place.suffix.lower() not in (".csv", ".tsv", ".txt"):
        raise DataError(f"{place.as_posix()}: is neither a folder nor a CSV file (.csv, .tsv or .txt)")
    table = tables.read_csv(place)
    if "path" in table:
        return place.parent, to_table(from_csv(table, place)), []
    return None, from_table(table, place), []


def from_folder(root: Path) -> tuple[list[Sample], list[Skipped]]:
    """Return the pictures of class folders or shipped splits; where there are no class folders, all pictures there are."""
    samples, skipped = folder_layout.from_folders(root)
    if samples:
        return samples, skipped
    samples, skipped = [], []
    for path in folder_layout.walk(root):
        parts = path.split("/")
        reason = folder_layout.reason_to_skip(parts, ["no class"])
        if reason:
            skipped.append(Skipped(path.replace("\r", "?"), reason))
        else:
            samples.append(Sample(path, "", shipped=SHIPPED.get(parts[0].lower(), "") if len(parts) > 1 else ""))
    if not samples:
        raise DataError(f"{root.as_posix()}: no picture found; expected pictures, in class folders or without")
    return samples, skipped


def from_csv(table: pd.DataFrame, place: Path) -> list[Sample]:
    """Return the pictures that a CSV names; what is label, group and split is told by the names of columns alone."""
    rest = table.drop(columns="path")
    columns = {"label": named(rest, LABELS), "group": guess_group(rest, ()), "shipped": named(rest, SPLITS)}
    if columns["shipped"] and not set(table[columns["shipped"]].str.lower()) <= set(SHIPPED):
        columns["shipped"] = None
    columns = {key: column for key, column in columns.items() if column}
    tell(columns, place)
    samples = []
    for number, row in enumerate(table.to_dict("records"), start=1):
        known = {key: row[column] for key, column in columns.items()}
        if "shipped" in known:
            known["shipped"] = folder_layout.shipped_name(known["shipped"], place, number)
        extra = {"site": row["site"]} if "site" in row else {}
        samples.append(Sample(folder_layout.inside(row["path"], place, number), extra=extra, **({"label": ""} | known)))
    folder_layout.check_unique([sample.path for sample in samples], place)
    return samples


def to_table(samples: list[Sample]) -> pd.DataFrame:
    """Return samples as a table sorted by path."""
    keys = ("path", "label", "group", "shipped")
    rows = [{key: getattr(sample, key) for key in keys} | sample.extra for sample in samples]
    return pd.DataFrame(rows).sort_values("path", ignore_index=True)


def from_table(table: pd.DataFrame, place: Path) -> pd.DataFrame:
    """Return a sample for each row of a table, its id the hash of its features."""
    try:
        columns = columns_of(table, place, None, None)
    except DataError:  # no label: all columns are features
        columns = {}
    numbers = [column for column in [named(table, (number,)) for number in NUMBERS] if column]
    features = table.drop(columns=list({*columns.values(), *numbers}))
    if not len(features.columns):
        raise DataError(f"{place.as_posix()}: has no column besides {', '.join(table)}; expected at least one feature")
    tell(columns, place)
    print(f"{place.as_posix()}: rows are compared by {len(features.columns)} columns", file=sys.stderr)
    rows = range(1, len(table) + 1)
    found = pd.DataFrame({"id": tables.row_ids(features), "path": [f"row {row}" for row in rows], "error": ""})
    for key in ("label", "group"):
        found[key] = table[columns[key]] if key in columns else ""
    words = table[columns["shipped"]] if "shipped" in columns else [""] * len(table)
    found["shipped"] = [
        word and folder_layout.shipped_name(word, place, n) for n, word in zip(rows, words, strict=True)
    ]
    return found


def tell(columns: dict[str, str], place: Path) -> None:
    """Say which columns were taken for what."""
    told = ", ".join(f"{key} is {column!r}" for key, column in columns.items())
    print(f"{place.as_posix()}: {told or 'no label, group or split by the names of its columns'}", file=sys.stderr)
