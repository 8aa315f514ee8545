"""What lies at a path, before a task is made of it: only read, and of pictures only the headers.

Found are class folders, train/ and test/ folders of these, a CSV whose column `path` names pictures (alone or in the folder
of the pictures), and a CSV of features.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.core.errors import DataError
from pipeline.core.parallel import run_parallel
from pipeline.data import folder_layout, images, tables
from pipeline.data.column_roles import NUMBERS, columns_of
from pipeline.data.samples import scan_table, task_params
from pipeline.data.wording import about_columns, about_samples, counted, empty_cells, listing, sizes, some

FEW = 60  # samples without a group: of a class with fewer the hash may by chance put none in the test set
MANY = 20  # rows of which each has another text in a column: names or numbers of cases rather than categories
BATCH = 64  # files handed to a worker at once


@dataclass(frozen=True)
class Found:
    """A data set: `kind`, `raw` and `read` as params.yaml has them, and what to tell about it, as (title, text).

    `samples` has a row for each: path, label, group, shipped, id (see `identify`) and error, all text.
    """

    kind: str
    raw: str
    read: dict[str, str]
    samples: pd.DataFrame
    lines: list[tuple[str, str]]


def look(path: str, label: str | None, group: str | None, workers: int) -> Found:
    """Return what lies at `path`; `label` and `group` name columns of its CSV, None has them guessed.

    Raises DataError for what no task can be made of, as the scan would.
    """
    place = Path(path)
    if not place.exists():
        raise DataError(f"{path}: there is no such file or folder")
    if place.is_dir():
        csv = folder_layout.find_csv(place)
        if csv is None and (label or group):
            raise DataError(f"{path}: --label and --group name columns of a CSV; there is none with a column 'path'")
        return look_at_pictures(place, csv, label, group, workers)
    if place.suffix.lower() not in (".csv", ".tsv", ".txt"):
        raise DataError(f"{path}: is neither a folder nor a CSV file (.csv, .tsv or .txt)")
    if "path" in tables.read_csv(place):
        return look_at_pictures(place.parent, place.name, label, group, workers)
    return look_at_table(place, label, group)


def to_raw(place: Path) -> str:
    """Return a path as params.yaml shall have it: relative in the project, and outside of it as it was given."""
    absolute = Path(os.path.abspath(place))
    inside = absolute.is_relative_to(Path.cwd())
    return (absolute.relative_to(Path.cwd()) if inside else place).as_posix()


def look_at_pictures(root: Path, csv: str | None, label: str | None, group: str | None, workers: int) -> Found:
    """Return the data set of the pictures in a folder."""
    read, columns = {}, []
    if csv:
        table = tables.read_csv(root / csv)
        read = columns_of(table.drop(columns="path"), root / csv, label, group)
        columns = about_columns(read, label, group)
        others = [name for name in table if name not in {"path", *read.values()}]
        columns += [("kept", f"{some(others)}: in samples.csv, for later use" if others else "")]
        read = {"csv": csv} | read
    raw = to_raw(root)
    listed, skipped = folder_layout.list_samples(task_params("image", raw, read), "")
    facts = look_at_headers([root / sample.path for sample in listed], workers)
    samples = pd.DataFrame(
        {
            **{name: [getattr(s, name) for s in listed] for name in ("path", "label", "group", "shipped")},
            "id": [sample.path for sample in listed],
            "error": [fact if isinstance(fact, str) else "" for fact in facts],
        }
    )
    identify(samples, root)
    headers = [fact for fact in facts if not isinstance(fact, str)]
    where = f"that {csv} names" if csv else "in class folders"
    lines = [("found", f"{len(samples)} pictures {where}"), *columns, *about_samples(samples)]
    lines += [
        ("sizes", sizes([header[:2] for header in headers])),
        ("modes", counted(header[2] for header in headers)),
        ("formats", counted(header[3] for header in headers)),
        ("passed over", listing([(skip.path, skip.reason) for skip in skipped])),
    ]
    if csv:
        n_others = sum(len(files) for _, _, files in os.walk(root)) - len(samples) - 1
        lines.append(("not named", f"{n_others} more files in the folder: not looked at" if n_others > 0 else ""))
    return Found("image", raw, read, samples, lines)


def identify(samples: pd.DataFrame, root: Path) -> None:
    """Set the ids of pictures in classes of few groups, by which the split will divide them; the path stands for others.

    An id takes decoding, too slow for a look at all; where there are many, any text tells how the hash will divide them.
    A file that turns out to be damaged is marked.
    """
    good = samples[samples["error"] == ""]
    for _, of_label in good.groupby("label"):
        alone = of_label[of_label["group"] == ""]
        for row, path in alone["path"].items() if len(alone) < FEW else ():
            try:
                samples.loc[row, "id"] = images.decode((root / path).read_bytes()).id
            except (DataError, OSError) as error:
                samples.loc[row, "error"] = str(error)


def look_at_headers(paths: list[Path], workers: int) -> list[tuple[int, int, str, str] | str]:
    """Return (width, height, mode, format) of each file, or why it cannot be read."""
    batches = [paths[start : start + BATCH] for start in range(0, len(paths), BATCH)]
    found = run_parallel(lambda batch: [look_at_header(path) for path in batch], batches, workers)
    return [fact for batch in found for fact in batch]


def look_at_header(path: Path) -> tuple[int, int, str, str] | str:
    """Return (width, height, mode, format) of a file, or why it cannot be read."""
    try:
        if path.exists() and not path.is_file():
            return "is no file"  # a pipe would never end
        return images.read_header(path)
    except OSError as error:
        return f"cannot be opened ({error.strerror})"
    except DataError as error:
        return str(error)


def look_at_table(path: Path, label: str | None, group: str | None) -> Found:
    """Return the data set of a CSV of features."""
    table = tables.read_csv(path)
    read = columns_of(table, path, label, group, NUMBERS)
    samples, features = scan_table(task_params("table", to_raw(path), read), "")
    typed = tables.typed(features)
    numbers = [name for name in typed if tables.is_number(typed[name])]
    constant = [name for name in typed if typed[name].nunique() < 2]
    own = [name for name in typed if name not in numbers and typed[name].nunique() == len(typed) >= MANY]
    lines = [("found", f"{len(table)} rows of {len(features.columns)} features"), *about_columns(read, label, group)]
    lines += [
        *about_samples(samples),
        ("numbers", some(numbers)),
        ("categories", some([name for name in typed if name not in numbers])),
        ("empty cells", some([f"{name} {n}" for name, n in empty_cells(features).items()])),
        ("constant", some(constant) and f"{some(constant)}: teach nothing"),
        ("all different", some(own) and f"{some(own)}: names or numbers of cases? Delete them, they would be learnt"),
        *(("doubtful", doubt) for doubt in tables.nearly_numbers(features)),
    ]
    return Found("table", to_raw(path), read, samples, lines)
