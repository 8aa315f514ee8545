"""A DICOM file that is submitted belongs to the patient whom it names, and no identifier is stored."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from pipeline.core import artifacts, paths
from pipeline.data import upload_ledger
from pipeline.data.written_samples import read_samples
from tests.helpers.dicom import dicom
from tests.helpers.samples import content, put, task
from tests.helpers.textures import texture
from tests.helpers.uploads import places, restage, submit

pytestmark = pytest.mark.usefixtures("empty_folder")
N = 10  # patients of each class, two images each


def scan_of(patient: str, seed: int) -> bytes:
    """Return a drawn DICOM file of a patient."""
    values = np.asarray(texture(seed).convert("L")).astype(np.uint16) * 16
    return dicom(values, BitsStored=12, PatientID=patient, PatientName="Doe^Jane")


@pytest.fixture
def patients(program: Path) -> dict[str, str]:
    """Make a task of DICOM files; return the subset of each patient."""
    names = {f"{label}/{n}.dcm": f"MRN-{label}{n // 2:02d}" for label in ("benign", "malignant") for n in range(2 * N)}
    put(Path("raw"), {path: scan_of(patient, 500 + k) for k, (path, patient) in enumerate(names.items())})
    put(Path("data"), {".salt": "5" * 64})  # by which patients fall on both sides of the split
    artifacts.write_bytes(paths.EMBEDDER, program.read_bytes())
    read = {"dicom_group": "PatientID", "intensity": "12 bits"}
    block = task(read=read, split={"folds": 2, "min_test_per_class": 2})
    Path("params.yaml").write_text(yaml.safe_dump(content(block)), encoding="utf-8")
    restage()
    subsets = places()["subset"]
    return {patient: subsets[path] for path, patient in names.items()}


def test_new_images_join_the_group_of_their_patient(patients):
    tested = next(patient for patient, subset in patients.items() if subset == "test" and "benign" in patient)
    known = next(patient for patient, subset in patients.items() if subset == "dev" and "benign" in patient)
    (item,) = submit(scan_of(tested, 901))
    assert not item["accepted"]
    assert "its group is in the test set" in item["reason"]
    (item,) = submit(scan_of("another", 901), group=tested.lower())
    assert "its group is in the test set" in item["reason"]
    items = [*submit(scan_of(known, 902), group="somebody else"), *submit(scan_of("MRN-new", 903))]
    assert all(item["accepted"] for item in items)
    groups = [line.group for line in upload_ledger.samples("skin")]
    samples = read_samples("skin").set_index("path")["group"]
    path = next(path for path, group in samples.items() if group == groups[0])
    assert path.startswith("benign/")
    assert groups[1].startswith("patient-")
    stored = b"".join(path.read_bytes() for path in Path("data").rglob("*") if path.is_file())
    assert not any(secret in stored for secret in (b"MRN-", b"mrn-", b"somebody", b"Doe^"))
    values = np.asarray(texture(904).convert("L")).astype(np.uint16) * 16
    (item,) = submit(dicom(values, BitsStored=12, RescaleSlope=1, RescaleIntercept=-2024, PatientID="MRN-new"))
    assert item["accepted"]
    assert "outside of 12 bits" in item["reason"]
