"""A CSV names DICOM files by their identifiers."""

from pathlib import Path

import pytest

from pipeline.core.errors import DataError
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


def test_a_patient_is_found_in_another_spelling():
    write_export(Path("export"), slices())
    lines = Path("export/labels.csv").read_text().replace("MRN-0000", "mrn-").splitlines()
    Path("export/labels.csv").write_text("\n".join(lines) + "\n")
    assert len(described()[0].samples) == 24


def test_identifiers_that_no_file_has_are_an_error():
    write_export(Path("export"), slices())
    lines = Path("export/labels.csv").read_text().replace("MRN-", "X")
    Path("export/labels.csv").write_text(lines)
    with pytest.raises(DataError, match=r"labels\.csv: column 'PatientID': 0 of its first 12 cells") as error:
        described()
    assert "X000" not in str(error.value)


@pytest.mark.parametrize("name", ["IM{n}.IMA", "i{n}.CTDC.{n}", "1.2.{n}"])
def test_files_are_found_whatever_a_scanner_calls_them(name):
    write_export(Path("export"), slices())
    for n, path in enumerate(sorted(Path("export").glob("PA*/*/*/*"))):
        path.rename(path.with_name(name.format(n=n)))
    assert len(described()[0].samples) == 24
