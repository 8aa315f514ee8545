"""Samples of the command line, divided by whose they are: by folder, by the PatientID of DICOM files, or by a column of a CSV.

A patient's name in several spellings is one patient, as in training; a word for "unknown" names nobody.
"""

import sys
from pathlib import Path
from typing import Any

from pipeline.core.errors import AssayError, DataError
from pipeline.data.columns.words import spelling
from pipeline.data.dicom.patient_id import patient_of
from pipeline.data.folders.sample_files import is_system, reason_to_skip, walk
from pipeline.data.tabular.missing import is_unknown
from pipeline.prediction import group_answer
from pipeline.prediction.answer import Prediction, refused
from pipeline.prediction.files import images_of, rows_in
from pipeline.prediction.group_answer import GroupItem
from pipeline.prediction.predictor import Predictor

Named = tuple[str, Any]  # a sample's name and its data, or the DataError that says why it cannot be used
Groups = dict[str, list[Named]]  # the samples by the name of their group
Key = tuple[str, ...]  # what the samples of one group have in common
Owned = list[tuple[Key, str, Named]]  # each sample's key, the name of its group, and the sample
SHOWN = 3  # names in a note


def read_groups(predictor: Predictor, given: list[str], cells: dict[str, str], column: str = "") -> Groups:
    """Return the samples of the paths `given` by group, in the order of the latter; what is left out is said on stderr.

    An image is of the patient that its DICOM header names, else of its folder: one that is given, or of its folders, where it
    holds nothing else. Rows, and images that a CSV names in `path`, are of the group in `column`; where it is missing, of none.
    `cells` are the clinical columns of images that no CSV names.
    """
    samples: Owned = []
    read: set[Path] = set()
    folders: dict[Key, dict[str, None]] = {}  # of patients that DICOM files name
    for path in given:
        is_listed = Path(path).is_file() and (predictor.info.is_table or path.lower().endswith(".csv"))
        try:
            if not is_listed:
                images = images_by_folder(predictor, path, cells, read)
                samples += images
                for key, _, (file, _) in images:
                    folders.setdefault(key, {})[Path(file).parent.as_posix()] = None
            elif is_new(Path(path), read):
                samples += rows_by_column(predictor, path, column)
        except OSError as error:
            samples.append((("", path), path, (path, DataError(f"cannot be opened ({error.strerror})"))))
        except DataError as error:
            samples.append((("", path), path, (path, error)))
    names: dict[Key, dict[str, None]] = {}
    of_key: dict[Key, list[Named]] = {}
    for key, name, sample in samples:
        names.setdefault(key, {})[name] = None
        of_key.setdefault(key, []).append(sample)
    say_joined(names, folders)
    groups: Groups = {}
    for key, own in of_key.items():
        groups[unused_name(next(iter(names[key])), groups)] = own
    return groups


def say_joined(names: dict[Key, dict[str, None]], folders: dict[Key, dict[str, None]]) -> None:
    """Say on stderr which names were taken for one patient's, and which patient's files lie in several folders."""
    for spellings in names.values():
        if len(spellings) > 1:
            note(f"{', '.join(spellings)}: taken for spellings of one name, and answered as one patient")
    several = {key: of for key, of in folders.items() if key[0] == "patient" and len(of) > 1}
    for key, of in list(several.items())[:SHOWN]:
        note(
            f"{next(iter(names[key]))}: the files of this PatientID lie in {listed(list(of))}: answered as one patient's"
        )
    if len(several) > SHOWN:
        note(f"and so do those of {len(several) - SHOWN} more")


def unused_name(name: str, groups: Groups) -> str:
    """Return the name, with a number where another group has it: a folder P1 is not the PatientID P1."""
    number, free = 1, name
    while free in groups:
        number += 1
        free = f"{name} ({number})"
    return free


def images_by_folder(predictor: Predictor, path: str, cells: dict[str, str], read: set[Path]) -> Owned:
    """Return an image, or all images below a folder; raise DataError where it has none, or it is not clear whose they are.

    Files that are in `read` are left out, and those that are read are added.
    """
    root = Path(path)
    root.stat()  # OSError where it is not there
    if predictor.info.is_table:
        raise DataError("is no table of rows: this model takes a CSV, with --group-column")
    paths, empty = images_below(root) if root.is_dir() else ([""], [])
    holds_folders_only = root.is_dir() and all("/" in name for name in paths)
    samples: Owned = []
    for name in empty:
        folder = root / name
        samples.append((*of_folder(folder, folder), (folder.as_posix(), DataError("has no image in it"))))
    for name in paths:
        file = root / name
        folder = root / name.split("/")[0] if holds_folders_only else root if root.is_dir() else root.parent
        if not is_new(file, read):
            continue
        try:
            data: Any = file.read_bytes()
            patient = patient_of(data)
            data = (data, cells) if predictor.info.clinical_columns else data
        except OSError as error:
            data, patient = DataError(f"cannot be opened ({error.strerror})"), ""
        samples.append((*(whose(patient) if patient else of_folder(folder, file)), (file.as_posix(), data)))
    return samples


def is_new(file: Path, read: set[Path]) -> bool:
    """Return whether a file is not in `read` yet, and add it."""
    if file.resolve() in read:
        note(f"{file.as_posix()}: given twice, used once")
        return False
    read.add(file.resolve())
    return True


def images_below(root: Path) -> tuple[list[str], list[str]]:
    """Return the paths of the images below a folder, and which of its folders have none, unless there are images next to them.

    Raises DataError where there is no image, or there are images and several folders.
    """
    below: list[str] = []
    reasons = {name: reason_to_skip(name.split("/"), ["any"]) for name in walk(root, below)}
    images = [name for name, reason in reasons.items() if not reason]
    other = [name for name, reason in reasons.items() if reason and not any(map(is_system, name.split("/")))]
    if not images:
        raise DataError("has no image in it")
    if other:
        note(f"{root.as_posix()}: {len(other)} of its files left out: {other[0]}: {reasons[other[0]]}")
    loose, folders = (
        [name for name in images if "/" not in name],
        sorted({name.split("/")[0] for name in images if "/" in name}),
    )
    if loose and len(folders) > 1:
        raise DataError(
            f"has images ({listed(loose)}) and folders ({listed(folders)}), so that whose the images are is not clear: "
            "give the folder of each patient"
        )
    for folder in [] if loose else folders:
        inner = sorted({name.split("/")[1] for name in images if name.startswith(f"{folder}/") and name.count("/") > 1})
        if len(inner) > 1:
            note(f"{(root / folder).as_posix()}: its folders ({listed(inner)}) are answered as one patient's")
    empty = sorted(name for name in below if "/" not in name and name not in folders and not is_system(name))
    return images, [] if loose else empty


def of_folder(folder: Path, file: Path) -> tuple[Key, str]:
    """Return the key and name of the group of an image by its folder: by itself where that names nobody."""
    here = folder.resolve()
    if is_unknown(here.name):
        return (str(file.resolve()),), file.as_posix()
    return ("folder", str(here.parent), spelling(here.name)), folder.as_posix()


def whose(patient: str) -> tuple[Key, str]:
    """Return the key and name of the group of a sample by its patient."""
    return ("patient", spelling(patient)), patient


def listed(names: list[str]) -> str:
    """Return the first names, and how many more there are."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def note(text: str) -> None:
    """Print a line on stderr."""
    print(text, file=sys.stderr)


def rows_by_column(predictor: Predictor, path: str, column: str) -> Owned:
    """Return each row of a table file, or each image that a CSV names; one without a patient is by itself."""
    from pipeline.data import tables  # it loads pandas, without which images are answered
    from pipeline.data.tabular.files import read_table

    if not column:
        raise DataError("--group-column is missing: it names the column that says whose each row is")
    file, schema, data = Path(path), predictor.info.schema, Path(path).read_bytes()
    content = None if not predictor.info.is_table else read_table(file, data)
    table = tables.read_csv(file, data) if content is None else content.table
    tables.require_column(table, column, file, "--group-column")
    if content is None:
        samples = images_of(schema, file, table, column)
        if not predictor.info.clinical_columns:
            samples = [(name, item[0] if isinstance(item, tuple) else item) for name, item in samples]
        samples = [(f"{name} (row {row})", item) for row, (name, item) in enumerate(samples, start=1)]
    else:
        samples, warnings = rows_in(schema, path, content, column)
        for warning in warnings:
            note(f"{path}: {warning}")
    patients = [str(cell).strip() for cell in table[column]]
    owned: Owned = [
        (*(((sample[0],), sample[0]) if is_unknown(patient) else whose(patient)), sample)
        for patient, sample in zip(patients, samples, strict=True)
    ]
    return each_once(owned) if content is None else owned


def each_once(samples: Owned) -> Owned:
    """Return the images of a CSV, of each patient only the first of equal rows: the others would count once more."""
    seen: dict[tuple[Key, str], list[Any]] = {}
    kept: Owned = []
    for key, name, (of, data) in samples:
        same = seen.setdefault((key, of[: of.rindex(" (row ")]), [])
        if data in same:
            note(f"{of}: given twice, used once")
        else:
            same.append(data)
            kept.append((key, name, (of, data)))
    return kept


def predict_groups(predictor: Predictor, groups: Groups) -> list[GroupItem]:
    """Return the answer to each group, the refused ones too."""
    items = []
    for name, samples in groups.items():
        predictions = [
            Prediction(refused(of, str(data))) if isinstance(data, AssayError) else predictor.predict_with_ood(data, of)
            for of, data in samples
        ]
        items.append(group_answer.answer(predictor.info, name, predictions))
    return items
