"""A file is read within limits, and its facts are those of its pixels."""

import pytest

from pipeline.core.errors import DataError
from pipeline.data.images import decoding, image_file
from tests.helpers.samples import encoded, noise


def test_what_cannot_be_read_says_why(tmp_path):
    with pytest.raises(DataError, match="is not a regular file"):
        image_file.read(tmp_path)
    with pytest.raises(DataError, match=r"cannot be opened \(No such file or directory\)"):
        image_file.read(tmp_path / "absent.png")
    with (tmp_path / "volume.nii").open("wb") as file:
        file.truncate(10**12)  # sparse: it takes no room
    with pytest.raises(DataError, match="is over 450 MB"):
        image_file.read(tmp_path / "volume.nii")


def test_the_facts_are_those_of_the_decoded_file():
    data = encoded(noise(1))
    image = decoding.decode(data)
    assert image_file.FileFacts.of(image, len(data)) == image_file.FileFacts(
        id=image.id, bytes=len(data), width=60, height=40, mode="RGB", format="PNG"
    )
