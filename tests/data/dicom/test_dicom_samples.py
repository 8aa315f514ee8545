"""DICOM files and their frames become samples."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from pipeline.data import folder_layout
from pipeline.data.dicom.dicom_samples import names_somebody
from pipeline.data.dicom.headers import DicomHeader
from pipeline.data.samples import task_params
from tests.helpers.dicom import dataset, to_bytes, write_export
from tests.helpers.dicom_export import described, slices

pytestmark = pytest.mark.usefixtures("empty_folder")


def test_personal_columns_of_the_csv_are_left_out():
    write_export(Path("export"), slices(), "file")
    rows = Path("export/labels.csv").read_text().splitlines()
    names = ["PatientName,scanner", *["Doe^Jane,A"] * (len(rows) - 1)]
    Path("export/labels.csv").write_text(
        "\n".join(f"{row},{more}" for row, more in zip(rows, names, strict=True)) + "\n"
    )
    data, _ = described()
    listed, _ = folder_layout.list_samples(task_params("image", "export", data.read), "t")
    assert listed[0].extra["scanner"] == "A"
    assert "PatientName" not in listed[0].extra


def test_frames_are_samples_of_one_group_when_asked_for():
    frames = np.arange(3 * 40 * 48).reshape(3, 40, 48).astype(np.uint16)
    for label in ("a", "b"):
        for number in range(8):
            path = Path(f"raw/{label}/{number}.dcm")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(to_bytes(dataset(frames + number, PatientID=f"{label}{number}")))
    data, text = described("raw")
    assert "16 files have several: the middle one is the sample" in text
    listed, _ = folder_layout.list_samples(task_params("image", "raw", data.read | {"frames": "all"}), "t")
    assert [sample.path for sample in listed[:4]] == ["a/0.dcm#1", "a/0.dcm#2", "a/0.dcm#3", "a/1.dcm#1"]
    assert len({sample.group for sample in listed}) == 16


def test_nothing_of_dicom_is_added_to_other_images():
    from tests.helpers.samples import put

    put(Path("raw"), {f"{label}/{n}.png": 10 * k + n for k, label in enumerate("ab") for n in range(9)})
    data, _ = described("raw")
    listed, _ = folder_layout.list_samples(task_params("image", "raw", data.read), "t")
    assert listed[0].extra == {}
    assert data.read == {}
    assert not Path("data/.salt").exists()


def test_files_without_a_patient_are_grouped_by_their_study():
    write_export(Path("export"), slices(), "file")
    for number, path in enumerate(sorted(Path("export").glob("PA*/*/*/*"))):
        ds = pydicom.dcmread(path)
        ds.PatientID = (
            ("", "ANON")[number % 2] if number % 4 < 2 else ds.PatientID.lower() if number % 2 else ds.PatientID + " "
        )
        ds.save_as(path)
    data, text = described()
    assert "12 of 24 files have no PatientID: their study or series is their group" in text
    assert data.samples["group"].nunique() == 12


@pytest.mark.parametrize("folder", ["Doe_Jane{n}", "scan 20200304", "doe-jane{n}-x/a"])
def test_names_and_dates_in_paths_are_named(folder):
    header = DicomHeader({"PatientID": "7"}, {}, 1, ("Doe^Jane3", "20200304"))
    assert names_somebody(folder.format(n=3) + "/IM1", header)
    assert not names_somebody("PA0001/ST0000/IM2020/doe", header)
