"""Data sets laid out as published ones are: each is read as meant, or refused with its own cause."""

from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.tasks.choices import Choices
from pipeline.tasks.inspect_data import inspect
from tests.helpers.door_cases import table
from tests.helpers.samples import put

N = range(24)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read_of(files: dict[str, str | int], path: str = "raw") -> tuple[dict, list[str]]:
    """Return the block `read` of a data set and the warnings."""
    put(Path("raw"), files)
    data = inspect(path, None, None, 1, Choices(no_group=True))
    return data.read, [text for title, text in data.lines if title == "warning"]


def test_several_labels_in_columns_of_chexpert_are_refused():
    rows = [[f"CheX/train/p{n}/view1.jpg", [1.0, "", -1.0][n % 3], [1.0, 0.0][n % 2]] for n in N]
    csv = table(["Path", "Edema", "Effusion", "Fracture"], [[*row, 1.0 if row[1] else ""] for row in rows])
    with pytest.raises(DataError, match=r"is multi-label: .*columns Edema, Effusion, Fracture"):
        read_of({f"CheX/train/p{n}/view1.jpg": n for n in N} | {"CheX/train.csv": csv})


def test_joined_labels_of_nih_are_refused_although_there_are_folders():
    rows = [[f"{n:04}.png", ["No Finding", "Mass", "Effusion", "Mass|Effusion"][n % 4]] for n in N]
    images = {f"images_00{1 + n % 2}/images/{n:04}.png": n for n in N}
    with pytest.raises(DataError, match="is multi-label: column 'Finding Labels'"):
        read_of(images | {"Data_Entry.csv": table(["Image Index", "Finding Labels"], rows)})


def test_a_submission_and_unlabelled_tests_are_not_meant():
    files: dict[str, str | int] = {f"train_images/{n:04}.png": n for n in N} | {
        f"test_images/9{n:03}.png": 99 + n for n in N
    }
    files["train.csv"] = table(["id_code", "diagnosis"], [[f"{n:04}", n % 3] for n in N])
    files["test.csv"] = table(["id_code"], [[f"9{n:03}"] for n in N])
    files["sample_submission.csv"] = table(["id_code", "diagnosis"], [[f"9{n:03}", 0] for n in N])
    read, warnings = read_of(files)
    assert (read["csv"], read["images"]) == ("train.csv", ["train_images"])
    assert "test.csv looks like the shipped test part, but has no labels" in warnings[0]


def test_a_second_csv_without_labels_is_reported():
    files: dict[str, str | int] = {f"input/ISIC_{n}.jpg": n for n in N}
    files["truth.csv"] = table(
        ["image", "MEL", "NV", "BCC"], [[f"ISIC_{n}", *(float(n % 3 == k) for k in range(3))] for n in N]
    )
    files["metadata.csv"] = table(["image", "age", "lesion_id"], [[f"ISIC_{n}", 50, f"L{n // 2}"] for n in N])
    put(Path("raw"), files)
    data = inspect("raw", None, None, 1, Choices())
    assert data.read["one_hot"] == ["MEL", "NV", "BCC"]
    assert any("metadata.csv next to truth.csv not read" in text for _, text in data.lines)


def test_numbered_folders_are_no_question_next_to_a_csv():
    csv = table(["Image name", "Retinopathy grade"], [[f"2005_{n:03}.tif", n % 4] for n in N])
    read, _ = read_of({f"Base{11 + n % 2}/2005_{n:03}.tif": n for n in N} | {"messidor.csv": csv})
    assert (read["label"], read["images"]) == ("Retinopathy grade", ["Base11", "Base12"])


def test_labels_of_a_split_next_to_the_images_are_found():
    files: dict[str, str | int] = {}
    for letter, part, n_images in (("a", "Training", 24), ("b", "Testing", 12)):
        files |= {f"B. Grading/1. Images/{letter}. {part} Set/I_{n:03}.jpg": n for n in range(n_images)}
        rows = [[f"I_{n:03}", n % 3, "", ""] for n in range(n_images)]
        name = f"B. Grading/2. Truths/{letter}. {part} Labels.csv"
        files[name] = table(["Image name", "Retinopathy grade", "", ""], rows)
    read, _ = read_of(files)
    assert read["csv"].endswith("a. Training Labels.csv")
    assert read["test_csv"].endswith("b. Testing Labels.csv")


def test_labels_of_train_do_not_name_images_of_test():
    files: dict[str, str | int] = {f"{part}/{n:03x}a.tif": n for part in ("train", "test") for n in N}
    read, _ = read_of(files | {"train_labels.csv": table(["id", "label"], [[f"{n:03x}a", n % 2] for n in N])})
    assert (read["csv"], read["images"]) == ("train_labels.csv", ["train"])


def test_names_in_two_folders_are_a_question():
    files: dict[str, str | int] = {f"{part}/{n:03x}a.tif": n for part in ("left", "right") for n in N}
    with pytest.raises(DataError, match="names a file in left and in right; say which folder is meant"):
        read_of(files | {"labels.csv": table(["image_id", "label"], [[f"{n:03x}a", n % 2] for n in N])})


def test_workbooks_without_labels_leave_the_classes_to_the_folders():
    files: dict[str, str | int] = {f"Set/{c}/images/{c}-{n}.png": n + 50 * (c == "b") for c in "ab" for n in N}
    files |= {f"Set/{c}/masks/{c}-{n}.png": n for c in "ab" for n in N}
    files |= {f"Set/{c}.metadata.csv": table(["FILE NAME", "FORMAT"], [[f"{c}-{n}", "PNG"] for n in N]) for c in "ab"}
    read, _ = read_of(files)
    assert read["folders"] == "any/class"
    assert "csv" not in read


def test_a_list_of_images_without_a_header_is_named():
    rows = "".join(f"img/{n:03}.png,{'ab'[n % 2]}\n" for n in N)
    with pytest.raises(DataError, match=r"only one class folder \(img\).*list.csv: has no header"):
        read_of({f"img/{n:03}.png": n for n in N} | {"list.csv": rows})


def test_a_list_within_one_class_is_not_the_data_set():
    files: dict[str, str | int] = {f"{c}/{n:03}{c}.png": n for c in ("benign", "malignant") for n in N}
    rows = [[f"{n:03}benign.png", ["x", "y"][n % 2]] for n in range(12)]
    read, _ = read_of(files | {"benign/notes/list.csv": table(["file", "label"], rows)})
    assert "csv" not in read
