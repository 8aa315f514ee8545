"""Whose an upload is: the group that is given with it, or the patient whom a DICOM file names. No identifier is kept."""

from pipeline.core import params
from pipeline.core.read_params import ReadParams
from pipeline.data.columns.words import spelling
from pipeline.data.dicom.patient_hash import KINDS, group_of_ids, hashed
from pipeline.data.dicom.patient_id import identifiers
from pipeline.prediction.answer import Row
from pipeline.retraining.existing_samples import ExistingSamples


def group_of(data: bytes | Row, given: str, existing: ExistingSamples) -> str:
    """Return the group of an upload as the task's samples have it, "" where nothing says it.

    Of a task with DICOM files it is a salted hash, also of a group that is given. A patient of the task whom a DICOM file names
    counts more than that: the image would else be on both sides of a split.
    """
    known = existing.groups.get(spelling(given))
    if not existing.has_dicom:
        return known or given
    read = params.task(existing.task).read
    own = own_group(data, read) if isinstance(data, bytes) else ""
    if own in existing.groups.values():
        return own
    kind = KINDS[read.dicom_group] if read.dicom_group else "group"
    return known or hashed(kind, given) or (own if read.dicom_group else "")


def own_group(data: bytes, read: ReadParams) -> str:
    """Return the group of a DICOM file by its own identifiers, by PatientID where a column of a CSV names the groups."""
    ids = identifiers(data)
    if read.dicom_group:
        return group_of_ids(ids, read.dicom_group)
    return hashed("group", ids.get("PatientID", ""))
