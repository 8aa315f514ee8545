"""Which files of a raw folder are samples, and what folders or a CSV say of them. Opens no picture.

Three layouts: class folders (`benign/…`), shipped splits of class folders (`train/benign/…`, `test/benign/…`), and a
CSV whose `path` column names images beside it.
"""

import os
import posixpath
import sys
import unicodedata
from dataclasses import dataclass, field, replace
from pathlib import Path, PureWindowsPath

from pipeline.core.errors import DataError
from pipeline.core.params_models import TaskParams
from pipeline.data import tables
from pipeline.data.images import SUFFIXES
from pipeline.data.path_groups import group_of
from pipeline.data.tabular.missing import missing_in

SHIPPED = {"train": "train", "training": "train", "valid": "valid", "val": "valid", "validation": "valid"}
SHIPPED |= {"test": "test", "testing": "test"}
# Of samples.csv; the further columns of a task's own CSV come behind these.
COLUMNS = ["id", "path", "label", "group", "shipped", "width", "height", "mode", "format", "bytes", "error"]
SYSTEM = (".", "__MACOSX", "@eaDir", "$RECYCLE.BIN")  # how folders and files begin that systems leave behind
TRIED = (*SUFFIXES, ".dcm", ".dicom", ".nii", ".gz", "")  # the decoder tells what to do about medical formats


@dataclass(frozen=True, slots=True)
class Sample:
    """A file that should be a picture: POSIX path relative to the raw folder, and what is known of it."""

    path: str
    label: str
    group: str = ""
    shipped: str = ""
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Skipped:
    """A file that is no sample, and why."""

    path: str
    reason: str


def list_samples(task: TaskParams, name: str) -> tuple[list[Sample], list[Skipped]]:
    """Return the samples of an image task sorted by path, and the files passed over.

    Raises DataError where the raw folder is missing or empty, or labels differ only in case.
    """
    root = Path(task.raw)
    if not root.is_dir():
        raise DataError(
            f"{root.as_posix()}: is not a folder (from tasks.{name}.raw); put the data there or mend the path"
        )
    samples, skipped = from_csv(task, name) if task.read.csv else from_folders(root)
    if not samples:
        raise DataError(
            f"{root.as_posix()}: no picture found; expected class folders, train/ and test/ folders or a CSV "
            "whose column 'path' names the pictures"
        )
    check_labels({sample.label for sample in samples}, root.as_posix())
    if task.read.group_from:
        samples = [replace(sample, group=group_of(task.read.group_from, sample.path)) for sample in samples]
        if not any(sample.group for sample in samples):
            raise DataError(
                f"{root.as_posix()}: tasks.{name}.read.group_from finds nothing in any path, the first is "
                f"{samples[0].path!r}; mend the regular expression or leave it out"
            )
    return sorted(samples, key=lambda s: s.path), sorted(skipped, key=lambda s: s.path)


def from_csv(task: TaskParams, name: str) -> tuple[list[Sample], list[Skipped]]:
    """Return the pictures that the CSV names; other files in the folder are nobody's and are not looked at."""
    path = Path(task.raw) / task.read.csv
    if not path.is_file():
        raise DataError(f"{path.as_posix()}: there is no such file (from tasks.{name}.read.csv)")
    table = tables.read_csv(path, header=task.read.header)
    known = {"path": "path", "label": task.read.label, "group": task.read.group, "shipped": task.read.shipped}
    for key, column in known.items():
        if column:
            tables.require_column(table, column, path, f"tasks.{name}.read.{key}")
    extra = own_names([column for column in table if column not in known.values()], path, f"tasks.{name}.read")
    missing = missing_in(table[task.read.label], of_label=True)
    samples, skipped, extras = [], [], {}  # other columns repeat (age, sex, site): samples with equal ones share a dict
    for number, cells in enumerate(table.itertuples(index=False, name=None), start=1):
        row = dict(zip(table.columns, cells, strict=True))
        relative = inside(row["path"], path, number)
        more = {kept: row[column] for column, kept in extra.items()}
        if row[task.read.label] in missing:
            skipped.append(Skipped(relative, f"has no label in {path.name} ({row[task.read.label] or 'empty'})"))
            continue
        samples.append(
            Sample(
                path=relative,
                label=row[task.read.label],
                group=group_cell(row[task.read.group]) if task.read.group else "",
                shipped=shipped_name(row[task.read.shipped], path, number) if task.read.shipped else "",
                extra=extras.setdefault(tuple(more.values()), more),
            )
        )
    check_unique([sample.path for sample in samples], path)
    return samples, skipped


def group_cell(cell: str) -> str:
    """Return the group in a cell, "" where it is missing: samples without one are not one patient."""
    return "" if tables.is_missing(cell) else cell


def find_csv(folder: Path) -> str | None:
    """Return the CSV in the folder itself that has a column `path`; raise DataError where there are several."""
    found = []
    for file in sorted(folder.glob("*.csv")):
        try:
            if "path" in tables.read_csv(file):
                found.append(file.name)
        except (DataError, OSError):
            continue  # a stray file: the scan passes it over
    if len(found) > 1:
        raise DataError(f"{folder.as_posix()}: {', '.join(found)} have a column 'path'; give the one that is meant")
    return found[0] if found else None


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
    if PureWindowsPath(relative).anchor or ".." in relative.split("/"):
        raise DataError(f"{path.as_posix()}: row {number}: {word!r} leads out of the folder; use relative paths")
    return posixpath.normpath(relative)


def shipped_name(word: str, path: Path, number: int) -> str:
    """Return train, valid or test for the word a data set uses; raise DataError for any other."""
    if word.lower() not in SHIPPED:
        raise DataError(f"{path.as_posix()}: row {number}: {word!r} is no split; expected train, valid or test")
    return SHIPPED[word.lower()]


def check_unique(paths: list[str], path: Path) -> None:
    """Raise DataError where a CSV names one file twice."""
    seen: set[str] = set()
    for name in paths:
        if name in seen:
            raise DataError(f"{path.as_posix()}: names {name!r} twice; a file can have one row only")
        seen.add(name)


def from_folders(root: Path) -> tuple[list[Sample], list[Skipped]]:
    """Return the pictures in class folders, at the top or below folders named train, valid and test.

    Raises DataError where other folders lie beside these: taken for classes, train and test would be what is predicted.
    """
    top = sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith(SYSTEM))
    others = [name for name in top if name.lower() not in SHIPPED]
    shipped = len(others) < len(top)
    if shipped and others:
        splits = ", ".join(name for name in top if name not in others)
        raise DataError(
            f"{root.as_posix()}: {splits} look like shipped splits, but beside them lie {', '.join(others)}; "
            "move these elsewhere, or name what is what in a CSV (read.csv)"
        )
    samples, skipped = [], []
    for relative in walk(root):
        parts = relative.split("/")
        folders = parts[1:-1] if shipped else parts[:-1]
        reason = reason_to_skip(parts, folders)
        if reason:
            skipped.append(Skipped(relative.replace("\r", "?"), reason))  # macOS writes files named "Icon\r"
        else:
            subset = SHIPPED[parts[0].lower()] if shipped else ""
            samples.append(Sample(path=relative, label=folders[0].strip(), shipped=subset))
    return samples, skipped


def reason_to_skip(parts: list[str], folders: list[str]) -> str:
    """Return why a file is no sample, or "" if it is one."""
    if any(part.startswith(SYSTEM) for part in parts):
        return "a hidden or system file"
    if parts[-1].lower() in ("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"):
        return "a hidden or system file"
    if not folders:
        return "lies beside the class folders, not in one"
    if not folders[0].strip():
        return "the name of its class folder is blank"
    if any("\r" in part for part in parts):
        return "its name holds a carriage return, which no CSV keeps; rename it"
    suffix = os.path.splitext(parts[-1])[1].lower()
    return "" if suffix in TRIED else f"is no image by its name ({suffix})"


def walk(root: Path) -> list[str]:
    """Return all files below `root` as sorted POSIX paths; links are followed, but never in a circle.

    Raises DataError for a folder that cannot be listed, and for names that cannot be written down.
    """
    found = []
    root = root.resolve()
    for folder, subfolders, files in os.walk(root, followlinks=True, onerror=refuse):
        subfolders[:] = [name for name in subfolders if not leads_back(Path(folder, name))]
        found += [Path(folder, file).relative_to(root).as_posix() for file in files]
    for path in found:
        try:
            path.encode()
        except UnicodeEncodeError:
            shown = path.encode(errors="replace").decode()
            raise DataError(f"{root.name}: the name {shown!r} is not UTF-8; rename the file or folder") from None
    return sorted(found)


def leads_back(folder: Path) -> bool:
    """Return whether `folder` is a link to one of the folders it lies in."""
    return folder.is_symlink() and folder.resolve() in [above.resolve() for above in folder.parents]


def refuse(error: OSError) -> None:
    """Raise DataError for a folder that cannot be listed: without its files a class would be smaller than it is."""
    raise DataError(f"{error.filename}: cannot be listed ({error.strerror}); mend its permissions") from None


def check_labels(labels: set[str], where: str) -> None:
    """Raise DataError unless there are two labels or more, and none that differ only in case or how é is stored."""
    folded: dict[str, str] = {}
    for label in sorted(labels):
        twin = folded.setdefault(unicodedata.normalize("NFKC", label).casefold(), label)
        if twin != label:
            raise DataError(f"{where}: the labels {twin!r} and {label!r} differ only in case; make them one")
    if len(labels) < 2:
        raise DataError(f"{where}: only one class ({', '.join(labels)}); at least two are needed")
