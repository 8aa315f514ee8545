"""Whose image a DICOM file is. The identifier stays in memory: it is never written, logged or sent back."""

import io

from pipeline.data.images.dicom_files import is_dicom
from pipeline.data.images.limits import HEAD


def patient_of(data: bytes) -> str:
    """Return the PatientID of a DICOM file's bytes, "" where it has none, is damaged, or is no DICOM file."""
    if not is_dicom(data[:HEAD]):
        return ""
    from pipeline.data.images import dicom  # pydicom is loaded for the first DICOM file

    try:
        return str(dicom.read_elements(io.BytesIO(data), ["PatientID"]).get("PatientID") or "").strip()
    except Exception:  # pydicom raises all kinds of errors for damaged files; decoding says what is wrong
        return ""
