"""Whose image a DICOM file is. Identifiers stay in memory: they are never written, logged or sent back."""

import io

from pipeline.data.dicom.patient_hash import COARSEST, is_told
from pipeline.data.images.dicom_files import is_dicom
from pipeline.data.images.limits import HEAD


def patient_of(data: bytes) -> str:
    """Return the PatientID of a DICOM file's bytes, "" where it names nobody, or the file is damaged or no DICOM file.

    A word such as ANONYMOUS stands for many patients.
    """
    patient = identifiers(data).get("PatientID", "")
    return patient if is_told(patient) else ""


def identifiers(data: bytes) -> dict[str, str]:
    """Return the identifiers in a DICOM file's bytes by attribute; none where it is damaged, or is no DICOM file."""
    if not is_dicom(data[:HEAD]):
        return {}
    from pipeline.data.images import dicom  # pydicom is loaded for the first DICOM file

    try:
        elements = dicom.read_elements(io.BytesIO(data), list(COARSEST))
        return {name: str(elements.get(name) or "").strip() for name in COARSEST}
    except Exception:  # pydicom raises all kinds of errors for damaged files; decoding says what is wrong
        return {}
