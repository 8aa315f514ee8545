"""Which files of a raw folder are samples, and what is refused before an image is opened."""

from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.core.params_models import TaskParams
from pipeline.data import folder_layout
from pipeline.data.folders.sample_files import Sample
from pipeline.data.samples import task_params
from tests.helpers.folders import TWO, list_images
from tests.helpers.samples import put, task


def from_csv(root: Path, text: str | bytes, **read: str) -> dict[str, Sample]:
    """Return {path: sample} of a CSV."""
    return list_images(put(root, {"labels.csv": text}), csv="labels.csv", **read)[0]


# folders


def test_class_folders_are_the_labels(tmp_path):
    samples, skipped = list_images(put(tmp_path, TWO))
    assert {path: sample.label for path, sample in samples.items()} == {
        "benign/1.png": "benign",
        "malignant/2.png": "malignant",
    }
    assert not skipped
    assert {(sample.group, sample.shipped) for sample in samples.values()} == {("", "")}


def test_samples_come_sorted_by_path(tmp_path):
    samples, _ = folder_layout.list_samples(
        TaskParams(**task(raw=str(put(tmp_path, {**TWO, "a/0.png": b"", "benign/0.png": b""})))), "skin"
    )
    assert [sample.path for sample in samples] == ["a/0.png", "benign/0.png", "benign/1.png", "malignant/2.png"]


@pytest.mark.parametrize(
    "words", [("train", "valid", "test"), ("TRAIN", "Val", "Test"), ("training", "validation", "TESTING")]
)
def test_shipped_splits_are_recognised_in_any_case(tmp_path, words):
    put(tmp_path, {f"{word}/{path}": b"" for word in words for path in TWO})
    samples, _ = list_images(tmp_path)
    assert {sample.label for sample in samples.values()} == {"benign", "malignant"}
    assert [samples[f"{word}/benign/1.png"].shipped for word in words] == ["train", "valid", "test"]


def test_nested_patient_folders_belong_to_their_class(tmp_path):
    samples, _ = list_images(put(tmp_path, {**TWO, "benign/patient 7/left/1.png": b""}))
    assert samples["benign/patient 7/left/1.png"].label == "benign"


@pytest.mark.parametrize(
    "name", ["large cell (T2) [left]", "皮膚癌", "נגע שפיר", "cancer du côlon", "a&b;c='d'", "NA", "=1+1"]
)
def test_names_in_any_script_and_with_signs_are_labels(tmp_path, name):
    samples, _ = list_images(put(tmp_path, {**TWO, f"{name}/1 (2).png": b""}))
    assert samples[f"{name}/1 (2).png"].label == name


def test_files_outside_class_folders_are_skipped_with_a_reason(tmp_path):
    _, skipped = list_images(put(tmp_path, {**TWO, "chart.png": b"", "labels.csv": b""}))
    assert set(skipped) == {"chart.png", "labels.csv"}
    assert set(skipped.values()) == {"is not in a class folder"}


def test_charts_in_a_shipped_split_are_passed_over_too(tmp_path):
    _, skipped = list_images(put(tmp_path, {"train/chart.png": b"", **{f"train/{path}": b"" for path in TWO}}))
    assert skipped == {"train/chart.png": "is not in a class folder"}


def test_macos_folders_do_not_turn_splits_into_classes(tmp_path):
    put(tmp_path, {f"{word}/{path}": b"" for word in ("train", "test") for path in TWO} | {"__MACOSX/x.png": b""})
    samples, _ = list_images(tmp_path)
    assert {sample.label for sample in samples.values()} == {"benign", "malignant"}


def test_splits_mixed_with_other_folders_are_refused(tmp_path):
    put(tmp_path, {"train/benign/1.png": b"", "test/malignant/1.png": b"", "annotations/1.png": b""})
    with pytest.raises(
        DataError, match=r"test, train look like shipped splits, but there are other folders: annotations; move"
    ):
        list_images(tmp_path)


def test_a_blank_folder_name_is_no_class(tmp_path):
    _, skipped = list_images(put(tmp_path, {**TWO, " /1.png": b""}))
    assert skipped == {" /1.png": "the name of its class folder is blank"}


# labels


@pytest.mark.parametrize(
    ("label", "other"),
    [("Benign", "benign"), ("STRASSE", "straße"), ("caf\u00e9", "cafe\u0301"), ("1", "1.0")],
    ids=["case", "ß", "accent", "number"],
)
def test_labels_that_look_alike_are_refused(label, other):
    with pytest.raises(DataError, match=r"raw: the labels '.+' and '.+' differ only in .+; make them one"):
        folder_layout.check_labels([label, other, "x"], "raw")


def test_a_single_class_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"only one class \(benign\); at least two are needed"):
        list_images(put(tmp_path, {"benign/1.png": b"", "benign/2.png": b""}))


@pytest.mark.parametrize("files", [{}, {"chart.png": b""}, {"benign/notes.txt": b""}])
def test_a_folder_without_images_says_what_is_expected(tmp_path, files):
    with pytest.raises(DataError, match=r"no image found.*; expected class folders, train/ and test/ folders or a CSV"):
        list_images(put(tmp_path, files))


def test_a_missing_folder_is_named_with_its_key(tmp_path):
    with pytest.raises(DataError, match=r"nowhere: is not a folder \(from tasks.skin.raw\); put the data there"):
        list_images(tmp_path / "nowhere")


# a CSV

CSV = "path,label\na/1.png,x\nb/2.png,y\n"


def test_a_csv_alone_names_the_images(tmp_path):
    put(tmp_path, {"a/1.png": b"", "stray.png": b""})
    samples = from_csv(tmp_path, CSV)
    assert {path: sample.label for path, sample in samples.items()} == {"a/1.png": "x", "b/2.png": "y"}


def test_group_shipped_split_and_further_columns_are_kept(tmp_path):
    text = "path,dx,lesion,part,age\na/1.png,x,L1,Training,60\nb/2.png,y,L2,TEST,\n"
    samples = from_csv(tmp_path, text, label="dx", group="lesion", shipped="part")
    assert samples["a/1.png"] == Sample("a/1.png", "x", "L1", "train", {"age": "60"})
    assert samples["b/2.png"].shipped == "test"


def test_several_columns_are_one_group(tmp_path):
    text = "path,label,no,site\na/1.png,x,7,A\nb/2.png,y,7,B\n"
    samples = from_csv(tmp_path, text, group="no", group_with=["site"])
    assert [sample.group for sample in samples.values()] == ["7 / A", "7 / B"]
    assert samples["a/1.png"].extra == {}


def test_windows_separators_and_detours_name_the_same_file(tmp_path):
    assert set(from_csv(tmp_path, "path,label\na\\1.png,x\n./b//2.png,y\n")) == {"a/1.png", "b/2.png"}


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../x.png", "a/../../x.png", "..\\x.png", "C:\\x.png", "c:x.png", "\\\\s\\x.png"]
)
def test_a_path_that_leads_out_of_the_folder_is_refused(tmp_path, path):
    with pytest.raises(DataError, match=r"labels.csv: row 3: .+ (leads out of the folder|is an absolute path)"):
        from_csv(tmp_path, f"{CSV}{path},x\n")


@pytest.mark.parametrize("path", ["a/1.png", "./a/1.png", "a//1.png", "a\\1.png"])
def test_a_path_that_is_there_twice_is_refused(tmp_path, path):
    with pytest.raises(DataError, match=r"labels.csv: names 'a/1.png' twice"):
        from_csv(tmp_path, f"{CSV}{path},x\n")


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (",x", "row 3: the path is empty; fill it in or delete the row"),
        ("c.png,X", "the labels 'X' and 'x' differ only in case"),
        ("c.png", "line 4 has 1 cells"),
    ],
)
def test_a_faulty_row_is_named_with_what_to_do(tmp_path, row, text):
    with pytest.raises(DataError, match=text):
        from_csv(tmp_path, f"{CSV}{row}\n")


@pytest.mark.parametrize("word", ["", "NA", "?", "None", "#N/A"])
def test_an_image_without_a_label_is_passed_over_and_said(tmp_path, word):
    (tmp_path / "labels.csv").write_text(f"path,label\na.png,x\nb.png,y\nc.png,{word}\n")
    task = task_params("image", str(tmp_path), {"csv": "labels.csv"})
    samples, skipped = folder_layout.list_samples(task, "skin")
    assert [sample.path for sample in samples] == ["a.png", "b.png"]
    assert [(item.path, item.reason) for item in skipped] == [
        ("c.png", f"has no label in labels.csv ({word or 'empty'})")
    ]


def test_an_unknown_split_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(DataError, match="row 1: 'later' is no split; expected train, valid or test"):
        from_csv(tmp_path, "path,label,part\na.png,x,later\nb.png,y,test\n", shipped="part")


def test_a_missing_csv_is_named_with_its_key(tmp_path):
    with pytest.raises(DataError, match=r"labels.csv: there is no such file \(from tasks.skin.read.csv\)"):
        list_images(put(tmp_path, TWO), csv="labels.csv")


@pytest.mark.parametrize(
    ("read", "column", "key"),
    [
        ({}, "label", "label"),
        ({"label": "a", "group": "lesion"}, "lesion", "group"),
        ({"label": "a", "shipped": "s"}, "s", "shipped"),
    ],
)
def test_a_missing_column_is_named_with_key_and_columns(tmp_path, read, column, key):
    text = rf"labels.csv: has no column '{column}' \(from tasks.skin.read.{key}\); it has: path, a, b"
    with pytest.raises(DataError, match=text):
        from_csv(tmp_path, "path,a,b\n1.png,x,y\n", **read)


def test_a_csv_without_paths_says_so(tmp_path):
    with pytest.raises(DataError, match=r"has no column 'path'.+it has: file, label"):
        from_csv(tmp_path, "file,label\n1.png,x\n")
