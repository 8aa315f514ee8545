"""A CSV names DICOM files by their identifiers."""

from pathlib import Path

import pytest

from tests.helpers.dicom import write_export
from tests.helpers.dicom_export import described, slices

pytestmark = pytest.mark.usefixtures("empty_folder")


SECRETS = ("MRN-", "Doe", "Jane", "19700102", "20200304", "1.2.826")


@pytest.mark.parametrize("path", ["export", "export/labels.csv", "export/DICOMDIR"])
@pytest.mark.parametrize("by", ["PatientID", "StudyInstanceUID", "SOPInstanceUID", "file"])
def test_a_csv_names_files_by_their_identifiers(by, path):
    write_export(Path("export"), slices(), by)
    data, text = described(path)
    assert len(data.samples) == 24
    assert not data.samples["error"].any()
    assert data.samples["label"].value_counts().to_dict() == {"benign": 12, "malignant": 12}
    assert data.samples["group"].nunique() == 12
    assert data.samples["group"].str.fullmatch(r"(patient|group)-[0-9a-f]{12}").all()
    assert data.read["dicom_group"] == "PatientID"
    assert data.read.get("match") == (None if by == "file" else by)
    assert data.read["intensity"] == [-1000.5, 529.5]
    assert not any(secret in text + data.samples.to_csv() for secret in SECRETS)


def test_rows_without_a_file_are_named_by_their_number_alone():
    write_export(Path("export"), slices())
    with Path("export/labels.csv").open("a") as file:
        file.write("MRN-99999,benign\n")
    data, text = described()
    assert len(data.samples) == 24
    assert "labels.csv row 13: names no DICOM file by its PatientID" in text
    assert "MRN" not in text
