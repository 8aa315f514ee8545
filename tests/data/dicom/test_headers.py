"""What is read of a DICOM header: how an image was taken, and no person."""

from pathlib import Path

import pytest

from pipeline.data import folder_layout
from pipeline.data.samples import task_params
from tests.helpers.dicom import write_export
from tests.helpers.dicom_export import described, slices

pytestmark = pytest.mark.usefixtures("empty_folder")


def test_columns_say_how_an_image_was_taken():
    write_export(Path("export"), slices())
    data, _ = described()
    listed, _ = folder_layout.list_samples(task_params("image", "export", data.read), "t")
    assert listed[0].extra | {"series": ""} == {
        "modality": "CT", "manufacturer": "ACME", "body_part": "CHEST", "view": "", "burned_in": "",
        "patient_sex": "F", "patient_age": "30", "series": "",
    }  # fmt: skip
    assert listed[0].extra["series"].startswith("series-")


def test_an_anonymised_patient_is_no_group():
    write_export(Path("export"), slices(), "file")
    import pydicom

    from pipeline.data.dicom.headers import read_header

    for path in Path("export").glob("PA*/*/*/*"):
        ds = pydicom.dcmread(path)
        ds.PatientID = "ANONYMOUS"
        ds.save_as(path)
    assert read_header(next(Path("export").glob("PA*/*/*/*"))).ids["PatientID"] == "ANONYMOUS"
    data, _ = described()
    assert data.read["dicom_group"] == "StudyInstanceUID"
    assert data.samples["group"].nunique() == 12
