"""Samples of the command line, divided by whose they are: by folder, by the PatientID of DICOM files, or by a column of a CSV."""

import sys
from pathlib import Path
from typing import Any

from pipeline.core.errors import AssayError, DataError
from pipeline.data.dicom.patient_id import patient_of
from pipeline.data.folders.sample_files import reason_to_skip, walk
from pipeline.prediction import group_answer
from pipeline.prediction.answer import Prediction, refused
from pipeline.prediction.files import images_of, rows_in
from pipeline.prediction.group_answer import GroupItem
from pipeline.prediction.predictor import Predictor

Named = tuple[str, Any]  # a sample's name and its data, or the DataError that says why it cannot be used
Groups = dict[str, list[Named]]  # the samples by the name of their group


def read_groups(predictor: Predictor, given: list[str], cells: dict[str, str], column: str = "") -> Groups:
    """Return the samples of the paths `given` by group, in the order of the latter.

    An image is of the patient that its DICOM header names, else of its folder: one that is given, or of its folders, where it
    holds nothing else. Rows, and images that a CSV names in `path`, are of the group in `column`, in whatever spelling, as in
    training; where it is missing, of none.
    `cells` are the clinical columns of images that no CSV names.
    """
    groups: Groups = {}
    for path in given:
        is_listed = Path(path).is_file() and (predictor.info.is_table or path.lower().endswith(".csv"))
        try:
            samples = rows_by_column(predictor, path, column) if is_listed else images_by_folder(predictor, path, cells)
        except OSError as error:
            samples = [(path, (path, DataError(f"cannot be opened ({error.strerror})")))]
        except DataError as error:
            samples = [(path, (path, error))]
        for group, sample in samples:
            groups.setdefault(group, []).append(sample)
    return groups


def images_by_folder(predictor: Predictor, path: str, cells: dict[str, str]) -> list[tuple[str, Named]]:
    """Return (group, sample) of an image, or of all images below a folder; raise DataError where it has none."""
    if predictor.info.is_table:
        raise DataError("is no table of rows: this model takes a CSV, with --group-column")
    root = Path(path)
    paths = [name for name in walk(root) if not reason_to_skip(name.split("/"), ["any"])] if root.is_dir() else [""]
    if not paths:
        raise DataError("has no image in it")
    holds_folders_only = root.is_dir() and all("/" in name for name in paths)
    samples = []
    for name in paths:
        file = root / name
        folder = root / name.split("/")[0] if holds_folders_only else root if root.is_dir() else root.parent
        try:
            data: Any = file.read_bytes()
            group = patient_of(data) or folder.as_posix()
            data = (data, cells) if predictor.info.clinical_columns else data
        except OSError as error:
            data, group = DataError(f"cannot be opened ({error.strerror})"), folder.as_posix()
        samples.append((group, (file.as_posix(), data)))
    return samples


def rows_by_column(predictor: Predictor, path: str, column: str) -> list[tuple[str, Named]]:
    """Return (group, sample) of each row of a table file, or of each image that a CSV names."""
    from pipeline.data import tables
    from pipeline.data.grouping.group_cells import read_groups  # it loads pandas, without which images are answered
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
        print(*(f"{path}: {warning}" for warning in warnings), sep="\n", end="\n" * bool(warnings), file=sys.stderr)
    groups = read_groups([str(cell).strip() for cell in table[column]])
    return [(group or sample[0], sample) for group, sample in zip(groups, samples, strict=True)]


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
