"""included.csv lists the uploads that take part, and refuses what it did not write."""

from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.data import uploads
from pipeline.data.uploads import Included

ROWS = [Included("0123456789abcdef", "a", "p,1", "b1"), Included("f" * 16, "b", "", "b2")]


pytestmark = pytest.mark.usefixtures("empty_folder")


def test_rows_survive_included_csv():
    assert uploads.read("skin") == []
    uploads.write("skin", ROWS)
    uploads.create("skin")  # keeps what is there
    assert uploads.read("skin") == ROWS


@pytest.mark.parametrize("row", ["0123,a,,b", "0123456789abcdef,a,,b", "f0123456789abcde,a"])
def test_a_damaged_included_csv_names_the_row(row):
    uploads.write("skin", ROWS[:1])
    with Path("data/uploads/skin/included.csv").open("a", encoding="utf-8") as file:
        file.write(f"{row}\n")
    with pytest.raises(DataError, match="row 2: expected hash,label,group,batch with a new hash"):
        uploads.read("skin")


def test_uploads_that_are_missing_here_are_named():
    uploads.write("skin", ROWS)
    with pytest.raises(
        DataError, match=r"data/uploads/skin/pictures/0123456789abcdef\.png, .*: included, but not stored"
    ):
        uploads.read_stored("skin", "image")


def test_paths_tell_uploads_from_raw_files():
    path = uploads.stored("skin", "image", "f" * 16).as_posix()
    assert uploads.is_upload(path)
    assert uploads.locate(Path("raw"), path) == Path(path)
    assert uploads.locate(Path("raw"), "a/1.png") == Path("raw/a/1.png")
