"""Whose image a DICOM file is, "" where it does not say."""

import numpy as np
import pytest

from pipeline.data.dicom.patient_id import patient_of
from tests.helpers.dicom import dicom
from tests.helpers.samples import encoded, noise

VALUES = np.zeros((20, 20), np.uint16)


def test_the_patient_of_a_file_is_read_without_blanks():
    assert patient_of(dicom(VALUES, PatientID=" P 7 ")) == "P 7"


FILES = [
    dicom(VALUES),
    dicom(VALUES, PatientID="ANONYMOUS"),
    *(dicom(VALUES, PatientID=word) for word in ("UNBEKANNT", "not known", "?", "-", "Anonymous^Patient", "PATIENT")),
    dicom(VALUES, PatientID="P7")[:200],
    encoded(noise()),
    b"",
]


@pytest.mark.parametrize("data", FILES)
def test_files_that_name_no_patient_give_none(data):
    assert patient_of(data) == ""
