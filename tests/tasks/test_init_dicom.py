"""A PACS export becomes a task: files by identifiers in a CSV, patients as salted hashes, nothing that names anybody."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.core.errors import ParamsError
from pipeline.data.folders import folder_layout
from pipeline.data.samples import task_params
from pipeline.tasks.choices import Choices
from pipeline.tasks.inspect_data import InspectedData, inspect
from tests.helpers.dicom import Slice, dataset, to_bytes, write_export

SECRETS = ("MRN-", "Doe", "Jane", "19700102", "20200304", "1.2.826")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def slices(n_patients: int = 12, each: int = 2) -> list[Slice]:
    """Return drawn slices, `each` of a patient, whose label is that of the patient."""
    rng = np.random.default_rng(3)
    return [
        Slice(rng.integers(0, 256, (40, 48)).astype(np.uint8), ("benign", "malignant")[patient % 2], patient)
        for patient in range(n_patients)
        for _ in range(each)
    ]


def described(path: str = "export", **options: object) -> tuple[InspectedData, str]:
    """Return the data set and all that is told of it."""
    data = inspect(path, None, None, 1, Choices(**options))
    return data, "\n".join(f"{title}: {text}" for title, text in data.lines)


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


def test_columns_say_how_an_image_was_taken():
    write_export(Path("export"), slices())
    data, _ = described()
    listed, _ = folder_layout.list_samples(task_params("image", "export", data.read), "t")
    assert listed[0].extra | {"series": ""} == {
        "modality": "CT", "manufacturer": "ACME", "body_part": "CHEST", "view": "", "burned_in": "",
        "patient_sex": "F", "patient_age": "30", "series": "",
    }  # fmt: skip
    assert listed[0].extra["series"].startswith("series-")


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


def test_groups_are_the_same_again_and_others_with_another_key():
    write_export(Path("export"), slices(4))
    first = described()[0].samples["group"].tolist()
    assert described()[0].samples["group"].tolist() == first
    assert Path("data/.salt").stat().st_mode & 0o777 == 0o600
    Path("data/.salt").write_text("another key of more than thirty-two characters")
    from pipeline.data.dicom import headers, patient_hash

    patient_hash._read.cache_clear()
    headers._read.cache_clear()
    again = described()[0].samples["group"].tolist()
    assert set(again).isdisjoint(first)
    assert [first.index(group) for group in first] == [again.index(group) for group in again]


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


def test_rows_without_a_file_are_named_by_their_number_alone():
    write_export(Path("export"), slices())
    with Path("export/labels.csv").open("a") as file:
        file.write("MRN-99999,benign\n")
    data, text = described()
    assert len(data.samples) == 24
    assert "labels.csv row 13: names no DICOM file by its PatientID" in text
    assert "MRN" not in text


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


def test_burned_in_text_and_telling_paths_are_said():
    for number in range(16):
        path = Path(f"raw/{'ab'[number % 2]}/MRN-0000{number}.dcm")
        path.parent.mkdir(parents=True, exist_ok=True)
        values = np.arange(40 * 48).reshape(40, 48).astype(np.uint16) + number
        path.write_bytes(to_bytes(dataset(values, PatientID=f"MRN-0000{number}", BurnedInAnnotation="YES")))
    _, text = described("raw")
    assert "16 files say that text is burned into their pixels" in text
    assert "the paths of 16 files hold an identifier" in text


def test_a_damaged_header_is_an_error_of_its_file():
    write_export(Path("export"), slices(), "file")
    broken = sorted(Path("export").glob("PA*/*/*/*"))[0]
    broken.write_bytes(broken.read_bytes()[:400])
    data, _ = described()
    assert data.samples["error"].astype(bool).sum() == 1


def test_nothing_of_dicom_is_added_to_other_images():
    from tests.helpers.samples import put

    put(Path("raw"), {f"{label}/{n}.png": 10 * k + n for k, label in enumerate("ab") for n in range(9)})
    data, _ = described("raw")
    listed, _ = folder_layout.list_samples(task_params("image", "raw", data.read), "t")
    assert listed[0].extra == {}
    assert data.read == {}
    assert not Path("data/.salt").exists()


def test_a_key_that_is_cut_off_is_an_error():
    write_export(Path("export"), slices(4))
    Path("data").mkdir()
    Path("data/.salt").write_text("abc")
    with pytest.raises(ParamsError, match="is no key; restore it"):
        described()
