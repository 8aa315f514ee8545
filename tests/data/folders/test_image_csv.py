"""A CSV that names images under any usual header, wherever they lie, is an image task; one-hot columns are one label."""

import pytest

from pipeline.core.errors import DataError
from pipeline.core.params_models import TaskParams
from pipeline.data import folder_layout
from pipeline.data.folders.image_csv import ImageColumn
from tests.helpers.folders import NAMES, csv, find_column, list_images
from tests.helpers.samples import put, task


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """The project's folder, in which no data lie."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")


@pytest.mark.parametrize(
    "header",
    ["image", "image_id", "image_name", "id_code", "filename", "file", "Path", "Image Index", "img", "isic_id", "id"],
)
@pytest.mark.parametrize("suffix", ["", ".jpg"])
def test_images_in_a_folder_are_found_under_any_header(tmp_path, header, suffix):
    root = put(tmp_path / "raw", {f"train/{name}.jpg": b"" for name in NAMES})
    put(root, {"labels.csv": csv(header, [name + suffix for name in NAMES])})
    assert find_column(root / "labels.csv") == ImageColumn(header, root, "labels.csv", ["train"])


def test_images_in_several_folders_are_found(tmp_path):
    root = put(tmp_path / "raw", {f"part_{n % 2}/{name}.jpg": b"" for n, name in enumerate(NAMES)})
    put(root, {"labels.csv": csv("image_id", NAMES)})
    assert find_column(root / "labels.csv").images == ["part_0", "part_1"]


def test_images_beside_the_folder_of_the_csv_are_found(tmp_path):
    root = put(tmp_path / "raw", {f"images/{name}.jpg": b"" for name in NAMES})
    put(root, {"tables/labels.csv": csv("image_id", NAMES)})
    assert find_column(root / "tables/labels.csv") == ImageColumn("image_id", root, "tables/labels.csv", ["images"])


def test_images_of_another_data_set_are_not_taken(tmp_path):
    root = put(tmp_path / "raw", {f"other_study/train/{name}.jpg": b"" for name in NAMES})
    put(root, {"mine/labels.csv": csv("image_id", NAMES)})
    with pytest.raises(DataError, match="seems to name images"):
        find_column(root / "mine/labels.csv")


def test_named_folder_decides(tmp_path):
    root = put(tmp_path / "raw", {f"{size}/{name}.jpg": b"" for name in NAMES for size in ("small", "large")})
    put(root, {"labels.csv": csv("image_id", NAMES)})
    with pytest.raises(DataError, match=r"names a file in large and in small; say which folder is meant: --images DIR"):
        find_column(root / "labels.csv")
    assert find_column(root / "labels.csv", str(root / "small")).images == ["small"]


def test_masks_are_not_meant(tmp_path):
    root = put(tmp_path / "raw", {f"{folder}/{name}.jpg": b"" for name in NAMES for folder in ("images", "masks")})
    put(root, {"labels.csv": csv("image_id", NAMES)})
    assert find_column(root / "labels.csv").images == ["images"]


def test_names_without_files_ask_for_the_folder(tmp_path):
    put(tmp_path / "raw", {"labels.csv": csv("image_name", NAMES)})
    with pytest.raises(
        DataError, match=r"'image_name' seems to name images \(ISIC_0000000\).+--images DIR.+--exclude image_n"
    ):
        find_column(tmp_path / "raw/labels.csv")


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
    assert find_column(tmp_path / "raw/rows.csv") is None


def test_train_and_test_csv_are_a_shipped_split(tmp_path):
    files = {f"{part}/{n}.png": b"" for part in ("train", "test") for n in range(4)}
    texts = {
        f"{part}.csv": "id,dx,age\n" + "".join(f"{n},{'xy'[n % 2]},6\n" for n in range(4)) for part in ("train", "test")
    }
    root = put(tmp_path / "raw", files | texts)
    read = {"csv": "train.csv", "test_csv": "test.csv", "path_column": "id", "images": ["train", "test"], "label": "dx"}
    samples, _ = list_images(root, **read)
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


def test_numbers_of_rows_name_no_images_of_another_folder(tmp_path):
    put(tmp_path / "raw", {f"images/{n}.png": b"" for n in range(30)})
    put(tmp_path / "raw", {"table/rows.csv": "id,age,ill\n" + "".join(f"{n},{n % 7},{n % 2}\n" for n in range(30))})
    assert find_column(tmp_path / "raw/table/rows.csv") is None


def test_ids_of_rows_are_no_list_of_images_nearby(tmp_path):
    put(tmp_path / "raw", {f"skin/{c}/{n}.png": b"" for c in "ab" for n in range(30)})
    put(tmp_path / "raw", {f"more/{n}.png": b"" for n in range(100)})
    put(tmp_path / "raw", {"rows.csv": "id,age,ill\n" + "".join(f"{n},{n % 7},{n % 2}\n" for n in range(30))})
    assert find_column(tmp_path / "raw/rows.csv") is None


@pytest.mark.parametrize(
    ("files", "cells", "reason"),
    [({f"pics/{n}.png": b"" for n in range(8)}, [n // 2 for n in range(16)], "all of them pics/0.png"),
     ({f"{'ab'[n % 2]}/{n // 2}.png": b"" for n in range(16)}, [n // 2 for n in range(16)], "a/0.png or b/0.png")],
)  # fmt: skip
def test_images_in_several_rows_are_asked_about(tmp_path, files, cells, reason):
    root = put(tmp_path / "raw", files)
    put(root, {"labels.csv": csv("image", [f"{cell}" for cell in cells])})
    with pytest.raises(DataError, match=f"'0' is in 2 rows, .*{reason}.+ --exclude image"):
        find_column(root / "labels.csv")
