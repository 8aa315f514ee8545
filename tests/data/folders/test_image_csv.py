"""A CSV that names images under any usual header, wherever they lie, is an image task; one-hot columns are one label."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.core.errors import DataError
from pipeline.core.params_models import TaskParams
from pipeline.data import tables
from pipeline.data.columns.one_label import check_joined, find_one_hot
from pipeline.data.folders import folder_layout
from pipeline.data.folders.image_csv import ImageColumn, find_image_column
from pipeline.data.folders.image_names import ImageIndex
from tests.helpers.samples import put, task

NAMES = [f"ISIC_{n:07}" for n in range(8)]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """The project's folder, in which no data lie."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")


def find(path: Path, images: str | None = None) -> ImageColumn | None:
    """Return the column of a CSV that names images."""
    return find_image_column(tables.read_csv(path), path, images)


def csv(header: str, cells: list[str]) -> str:
    """Return a CSV of one column of names and a label."""
    return f"{header},dx\n" + "".join(f"{cell},{'xy'[n % 2]}\n" for n, cell in enumerate(cells))


@pytest.mark.parametrize(
    "header",
    ["image", "image_id", "image_name", "id_code", "filename", "file", "Path", "Image Index", "img", "isic_id", "id"],
)
@pytest.mark.parametrize("suffix", ["", ".jpg"])
def test_images_in_a_folder_are_found_under_any_header(tmp_path, header, suffix):
    root = put(tmp_path / "raw", {f"train/{name}.jpg": b"" for name in NAMES})
    put(root, {"labels.csv": csv(header, [name + suffix for name in NAMES])})
    assert find(root / "labels.csv") == ImageColumn(header, root, "labels.csv", ["train"])


def test_images_in_several_folders_are_found(tmp_path):
    root = put(tmp_path / "raw", {f"part_{n % 2}/{name}.jpg": b"" for n, name in enumerate(NAMES)})
    put(root, {"labels.csv": csv("image_id", NAMES)})
    assert find(root / "labels.csv").images == ["part_0", "part_1"]


def test_images_beside_the_folder_of_the_csv_are_found(tmp_path):
    root = put(tmp_path / "raw", {f"images/{name}.jpg": b"" for name in NAMES})
    put(root, {"tables/labels.csv": csv("image_id", NAMES)})
    assert find(root / "tables/labels.csv") == ImageColumn("image_id", root, "tables/labels.csv", ["images"])


def test_images_of_another_data_set_are_not_taken(tmp_path):
    root = put(tmp_path / "raw", {f"other_study/train/{name}.jpg": b"" for name in NAMES})
    put(root, {"mine/labels.csv": csv("image_id", NAMES)})
    with pytest.raises(DataError, match="seems to name images"):
        find(root / "mine/labels.csv")


def test_named_folder_decides(tmp_path):
    root = put(tmp_path / "raw", {f"{size}/{name}.jpg": b"" for name in NAMES for size in ("small", "large")})
    put(root, {"labels.csv": csv("image_id", NAMES)})
    with pytest.raises(DataError, match=r"names a file in large and in small; say which folder is meant: --images DIR"):
        find(root / "labels.csv")
    assert find(root / "labels.csv", str(root / "small")).images == ["small"]


def test_masks_are_not_meant(tmp_path):
    root = put(tmp_path / "raw", {f"{folder}/{name}.jpg": b"" for name in NAMES for folder in ("images", "masks")})
    put(root, {"labels.csv": csv("image_id", NAMES)})
    assert find(root / "labels.csv").images == ["images"]


def test_names_without_files_ask_for_the_folder(tmp_path):
    put(tmp_path / "raw", {"labels.csv": csv("image_name", NAMES)})
    with pytest.raises(
        DataError, match=r"'image_name' seems to name images \(ISIC_0000000\).+--images DIR.+--exclude image_n"
    ):
        find(tmp_path / "raw/labels.csv")


@pytest.mark.parametrize(
    "text",
    [
        "age,ill\n" + "".join(f"{n},{n % 2}\n" for n in range(30)),
        "id,size,ill\n" + "".join(f"P{n},{n / 7},{n % 2}\n" for n in range(30)),
        "image,ill\n" + "".join(f"{n / 7},{n % 2}\n" for n in range(30)),
        "file,ill\n" + "".join(f"{'ab'[n % 2]},{n % 2}\n" for n in range(30)),
    ],
)
def test_tables_of_features_stay_tables(tmp_path, text):
    put(tmp_path / "raw", {"rows.csv": text, "images/other.png": b""})
    assert find(tmp_path / "raw/rows.csv") is None


def listed(root: Path, **read: object) -> dict[str, folder_layout.Sample]:
    """Return the samples of an image task."""
    samples, _ = folder_layout.list_samples(TaskParams(**task(raw=str(root), read=read)), "skin")
    return {sample.path: sample for sample in samples}


def test_one_hot_columns_are_one_label(tmp_path):
    text = "image,MEL,NV,BCC\n" + "".join(
        f"{name},{n % 3 == 0:d}.0,{n % 3 == 1:d}.0,{n % 3 == 2:d}.0\n" for n, name in enumerate(NAMES)
    )
    root = put(tmp_path / "raw", {f"train/{name}.jpg": b"" for name in NAMES} | {"l.csv": text})
    one_hot = find_one_hot(tables.read_csv(root / "l.csv"), root / "l.csv")
    assert one_hot == ["MEL", "NV", "BCC"]
    samples = listed(root, csv="l.csv", path_column="image", images=["train"], one_hot=one_hot)
    assert [sample.label for sample in samples.values()][:4] == ["MEL", "NV", "BCC", "MEL"]


def test_several_labels_a_row_are_refused_as_multi_label():
    table = pd.DataFrame({"A": ["1", "0", "1"], "B": ["1", "1", "0"], "C": ["0", "0", "0"]})
    with pytest.raises(DataError, match=r"l.csv: is multi-label: 1 rows have a 1 in several of the columns A, B, C"):
        find_one_hot(table, Path("l.csv"))


def test_several_labels_in_a_cell_are_refused_as_multi_label():
    with pytest.raises(
        DataError, match=r"is multi-label: column 'f' holds several labels in a cell.+Mass\|Nodule' in row 3"
    ):
        check_joined(pd.Series(["Mass", "Nodule", "Mass|Nodule"]), "f", Path("l.csv"))


@pytest.mark.parametrize("words", [["T1, left", "T2"], ["a+b", "c"], ["squamous; large", "adeno"]])
def test_signs_inside_of_a_label_are_no_second_one(words):
    check_joined(pd.Series(words), "f", Path("l.csv"))


def test_train_and_test_csv_are_a_shipped_split(tmp_path):
    files = {f"{part}/{n}.png": b"" for part in ("train", "test") for n in range(4)}
    texts = {
        f"{part}.csv": "id,dx,age\n" + "".join(f"{n},{'xy'[n % 2]},6\n" for n in range(4)) for part in ("train", "test")
    }
    root = put(tmp_path / "raw", files | texts)
    read = {"csv": "train.csv", "test_csv": "test.csv", "path_column": "id", "images": ["train", "test"], "label": "dx"}
    samples = listed(root, **read)
    assert {(path.split("/")[0], sample.shipped) for path, sample in samples.items()} == {
        ("train", "train"),
        ("test", "test"),
    }


def test_a_row_without_label_is_skipped_with_a_reason(tmp_path):
    put(tmp_path, {"l.csv": "path,label\n1.png,x\n2.png,NA\n3.png,y\n4.png,\n"})
    samples, skipped = folder_layout.list_samples(TaskParams(**task(raw=str(tmp_path), read={"csv": "l.csv"})), "skin")
    assert len(samples) == 2
    assert [(skip.path, skip.reason) for skip in skipped] == [
        ("2.png", "has no label in l.csv (NA)"),
        ("4.png", "has no label in l.csv (empty)"),
    ]


def test_two_files_for_one_cell_are_refused(tmp_path):
    put(tmp_path, {"a/1.png": b"", "a/1.jpg": b"", "b/x.tar.png": b""})
    index = ImageIndex(tmp_path, ["."])
    with pytest.raises(DataError, match=r"row 1: '1' may be a/1.jpg or a/1.png; write the path in full"):
        index.resolve("1", "row 1")
    assert index.resolve("1.PNG", "row 1") == "a/1.png"
    assert index.resolve("x.tar", "row 2") == "b/x.tar.png"
    assert index.resolve("gone", "row 3") == "gone"


def test_numbers_of_rows_name_no_images_of_another_folder(tmp_path):
    put(tmp_path / "raw", {f"images/{n}.png": b"" for n in range(30)})
    put(tmp_path / "raw", {"table/rows.csv": "id,age,ill\n" + "".join(f"{n},{n % 7},{n % 2}\n" for n in range(30))})
    assert find(tmp_path / "raw/table/rows.csv") is None


def test_ids_of_rows_are_no_list_of_images_nearby(tmp_path):
    put(tmp_path / "raw", {f"skin/{c}/{n}.png": b"" for c in "ab" for n in range(30)})
    put(tmp_path / "raw", {f"more/{n}.png": b"" for n in range(100)})
    put(tmp_path / "raw", {"rows.csv": "id,age,ill\n" + "".join(f"{n},{n % 7},{n % 2}\n" for n in range(30))})
    assert find(tmp_path / "raw/rows.csv") is None


@pytest.mark.parametrize(
    "above",
    ["/home/anna/data/", "C:\\data\\study\\", "https://host.org/files/", "skin-v1.0-small/", "../", "/mnt/old/{skin}/"],
)
def test_paths_of_another_computer_are_found_by_their_end(tmp_path, above):
    root = put(tmp_path / "raw", {f"img/{name}.jpg": b"" for name in NAMES})
    sign = "\\" if "\\" in above else "/"
    put(root, {"labels.csv": csv("path", [f"{above}img{sign}{name}.jpg" for name in NAMES])})
    column = find(root / "labels.csv")
    assert column.images in (["."], ["img"])
    assert column.moved[1] == f"img/{NAMES[0]}.jpg"
    read = {"csv": "labels.csv", "images": column.images, "label": "dx"}
    samples, _ = folder_layout.list_samples(TaskParams(**task(raw=str(root), read=read)), "skin")
    assert [sample.path for sample in samples] == [f"img/{name}.jpg" for name in NAMES]


def test_an_absolute_path_with_another_folder_is_found_by_its_name(tmp_path):
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
    assert find(root / "labels.csv").moved == ("0", "img/00000.png")


def test_images_in_very_many_folders_are_sought_above(tmp_path):
    root = put(tmp_path / "raw", {f"img/p{n}/{n}.png": b"" for n in range(60)})
    put(root, {"labels.csv": csv("file", [f"{n}.png" for n in range(60)])})
    assert find(root / "labels.csv").images == ["img"]


def test_images_converted_to_another_format_are_found_and_reported(tmp_path):
    root = put(tmp_path / "raw", {f"img/{name}.png": b"" for name in NAMES})
    put(root, {"labels.csv": csv("Datei", [f"{name}.dcm" for name in NAMES])})
    column = find(root / "labels.csv")
    assert (column.images, column.moved) == (["img"], (f"{NAMES[0]}.dcm", f"img/{NAMES[0]}.png"))
