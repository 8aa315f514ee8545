"""Which samples of a request are one patient's, and one answer to all of them.

Images are those of one patient, but for DICOM files, which say whose they are. Rows say it in the field `group`, unless the model
has a column of that name; without it all rows are of one patient. A group's id is never logged or stored: see `app.recorder`.
"""

import secrets
from collections.abc import Sequence

from app.problems import Problem
from pipeline.data.columns.words import spelling
from pipeline.data.dicom.patient_id import patient_of
from pipeline.data.tabular.missing import is_unknown
from pipeline.prediction.answer import Row
from pipeline.prediction.bundle import BundleInfo
from pipeline.prediction.predictor import Sample

Named = tuple[str, Sample]
Group = tuple[str, str, list[Named]]  # its name in the answer, its id, and its samples
FIELD = "group"
LENGTH = 200  # characters of a group's id in an answer


def split_ids(
    info: BundleInfo, given: Sequence[Named], group: str, divided: bool = False
) -> tuple[list[Named], list[str]]:
    """Return the samples without what says whose they are, and the id of each one's group, "" where nothing says it.

    `group` is the request's own; `divided`: each group gets one answer. Raises a 422 where some rows name a group and others do
    not, and of what is `divided` where rows have an empty field, or none but another column that differs and the model does not
    take, or files name several patients and the request one group.
    """
    group = "" if is_unknown(group) else group.strip()
    if not info.is_table or FIELD in {field.name for field in info.schema}:
        patients = [patient_of(file_of(data)) for _, data in given]
        if divided and group and len({spelling(patient) for patient in patients if patient}) > 1:
            raise Problem(
                422, "The files name several patients, and the request one group: leave 'group' out, or send one's."
            )
        return list(given), [group or patient for patient in patients]
    rows = [(name, dict(data)) for name, data in given if isinstance(data, dict)]
    has_field = any(FIELD in row for _, row in rows)
    cells = [row.pop(FIELD, None) for _, row in rows]
    ids = ["" if cell is None or is_unknown(str(cell)) else str(cell).strip() for cell in cells]
    lacking = [name for (name, _), id_ in zip(rows, ids, strict=True) if not id_]
    if lacking and (len(lacking) < len(rows) or (divided and has_field)):
        raise Problem(422, f"{lacking[0]} says nothing in {FIELD!r}: fill it in all rows, or leave it out of all.")
    if divided and not has_field and not group and (column := other_name(info, rows)):
        raise Problem(
            422,
            f"The rows differ in {column[:80]!r}, which is not a column of the model, and have no {FIELD!r}. "
            f"Send whose each row is as {FIELD!r}, or with ?group= that all are of one patient.",
        )
    return list(rows), [id_ or group for id_ in ids]


def other_name(info: BundleInfo, rows: Sequence[tuple[str, Row]]) -> str:
    """Return the first column that is none of the model's and has several values, "" without one."""
    known = {field.name for field in info.schema}
    columns = dict.fromkeys(column for _, row in rows for column in row if column not in known)
    return next((column for column in columns if len({str(row.get(column)) for _, row in rows}) > 1), "")


def file_of(data: Sample) -> bytes:
    """Return the file of a sample, empty for a row."""
    file = data[0] if isinstance(data, tuple) else data
    return file if isinstance(file, bytes) else b""


def divide(info: BundleInfo, samples: Sequence[Named], ids: Sequence[str]) -> list[Group]:
    """Return the groups, in the order of their first samples.

    An id in several spellings (12 and 12.0) is one group, as in training. The name is what a client knows the group by: of rows
    their id, of images the first file. Samples without an id are of one group, whose id is made up.
    """
    unnamed = secrets.token_hex(8)
    first: dict[str, str] = {}
    groups: dict[str, list[Named]] = {}
    for sample, id_ in zip(samples, ids, strict=True):
        groups.setdefault(first.setdefault(spelling(id_), id_ or unnamed), []).append(sample)
    return [(name_of(info, id_ if id_ != unnamed else "", own), id_, own) for id_, own in groups.items()]


def name_of(info: BundleInfo, id_: str, samples: Sequence[Named]) -> str:
    """Return the name of a group in an answer. A PatientID is not sent back."""
    if info.is_table and id_:
        return id_[:LENGTH]
    first, more = samples[0][0], len(samples) - 1
    return first if not more else f"{first} and {more} more"
