"""The file that a cell of a CSV names."""

import pytest

from pipeline.core.errors import DataError
from pipeline.core.params_models import TaskParams
from pipeline.data import folder_layout
from pipeline.data.folders.image_names import ImageIndex
from tests.helpers.folders import NAMES, csv, find_column
from tests.helpers.samples import put, task

pytestmark = pytest.mark.usefixtures("empty_folder")


def test_two_files_for_one_cell_are_refused(tmp_path):
    put(tmp_path, {"a/1.png": b"", "a/1.jpg": b"", "b/x.tar.png": b""})
    index = ImageIndex(tmp_path, ["."])
    with pytest.raises(DataError, match=r"row 1: '1' may be a/1.jpg or a/1.png; write the path in full"):
        index.resolve("1", "row 1")
    assert index.resolve("1.PNG", "row 1") == "a/1.png"
    assert index.resolve("x.tar", "row 2") == "b/x.tar.png"
    assert index.resolve("gone", "row 3") == "gone"


@pytest.mark.parametrize(
    "above",
    ["/home/anna/data/", "C:\\data\\study\\", "https://host.org/files/", "skin-v1.0-small/", "../", "/mnt/old/{skin}/"],
)
def test_paths_of_another_computer_are_found_by_their_end(tmp_path, above):
    root = put(tmp_path / "raw", {f"img/{name}.jpg": b"" for name in NAMES})
    sign = "\\" if "\\" in above else "/"
    put(root, {"labels.csv": csv("path", [f"{above}img{sign}{name}.jpg" for name in NAMES])})
    column = find_column(root / "labels.csv")
    assert column.images in (["."], ["img"])
    assert column.moved[1] == f"img/{NAMES[0]}.jpg"
    read = {"csv": "labels.csv", "images": column.images, "label": "dx"}
    samples, _ = folder_layout.list_samples(TaskParams(**task(raw=str(root), read=read)), "skin")
    assert [sample.path for sample in samples] == [f"img/{name}.jpg" for name in NAMES]


def test_an_absolute_path_of_another_folder_is_found_by_name(tmp_path):
    root = put(tmp_path / "raw", {f"photos/{name}.jpg": b"" for name in NAMES})
    index = ImageIndex(root, ["."])
    assert index.find(f"/home/anna/img/{NAMES[0]}.jpg") == [f"photos/{NAMES[0]}.jpg"]


def test_a_name_is_not_taken_from_another_existing_folder(tmp_path):
    root = put(tmp_path / "raw", {"left/1.png": b"", "right/2.png": b""})
    index = ImageIndex(root, ["."])
    assert index.find("/data/left/2.png") == []
    assert index.find("left/2.png") == []
    assert index.find("other/2.png") == []


def test_leading_zeros_that_excel_cut_are_put_back(tmp_path):
    root = put(tmp_path / "raw", {f"img/{n:05}.png": b"" for n in range(8)})
    put(root, {"labels.csv": csv("id", [str(n) for n in range(8)])})
    assert find_column(root / "labels.csv").moved == ("0", "img/00000.png")


def test_images_in_very_many_folders_are_sought_above(tmp_path):
    root = put(tmp_path / "raw", {f"img/p{n}/{n}.png": b"" for n in range(60)})
    put(root, {"labels.csv": csv("file", [f"{n}.png" for n in range(60)])})
    assert find_column(root / "labels.csv").images == ["img"]


def test_images_converted_to_another_format_are_found_and_reported(tmp_path):
    root = put(tmp_path / "raw", {f"img/{name}.png": b"" for name in NAMES})
    put(root, {"labels.csv": csv("Datei", [f"{name}.dcm" for name in NAMES])})
    column = find_column(root / "labels.csv")
    assert (column.images, column.moved) == (["img"], (f"{NAMES[0]}.dcm", f"img/{NAMES[0]}.png"))


def test_a_name_whose_letters_are_stored_otherwise_is_found(tmp_path):
    put(tmp_path, {"img/m\u00e4\u00dfig 1.png": b"", "img/cafe\u0301 2.png": b""})
    index = ImageIndex(tmp_path, ["img"])
    assert index.find("ma\u0308\u00dfig 1.png") == ["img/m\u00e4\u00dfig 1.png"]
    assert index.find("Caf\u00e9 2") == ["img/cafe\u0301 2.png"]
