"""A PACS export becomes a task: files by identifiers in a CSV, patients as salted hashes, nothing that names anybody."""

from pathlib import Path

import numpy as np
import pytest

from tests.helpers.dicom import dataset, to_bytes, write_export
from tests.helpers.dicom_export import described, slices


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


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
