"""Patients are hashed with a key of the project."""

from pathlib import Path

import pytest

from pipeline.core.errors import ParamsError
from tests.helpers.dicom import write_export
from tests.helpers.dicom_export import described, slices

pytestmark = pytest.mark.usefixtures("empty_folder")


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


def test_a_key_that_is_cut_off_is_an_error():
    write_export(Path("export"), slices(4))
    Path("data").mkdir()
    Path("data/.salt").write_text("abc")
    with pytest.raises(ParamsError, match="is no key; restore it"):
        described()
