"""Names are compared as data sets spell them."""

import pytest

from pipeline.data.columns.words import plain


@pytest.mark.parametrize("name", ["Patient ID", "patient_id", "PATIENT-ID", " patientId "])
def test_case_spaces_and_signs_make_no_other_name(name):
    assert plain(name) == "patientid"


def test_letters_of_other_alphabets_are_kept():
    assert plain("Größe (mm)") == "grössemm"
