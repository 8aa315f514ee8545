"""Folders that are no classes: recognised, or asked about, and no file and no shipped split vanishes."""

import pytest

from pipeline.core.errors import DataError
from pipeline.core.read_params import ReadParams
from tests.helpers.folders import AB, reading, subsets


def test_split_inside_each_class_is_kept(tmp_path):
    layout = reading(
        tmp_path, [f"{c}/{part}/{part}{n}.png" for c in AB for part in ("train", "test") for n in range(3)]
    )
    assert layout.roles.folders == "class/split"
    assert subsets(layout) == {("a", "train"), ("a", "test"), ("b", "train"), ("b", "test")}


def test_split_inside_some_classes_is_asked_about(tmp_path):
    paths = ["a/train/1.png", "a/test/2.png", "b/3.png"]
    with pytest.raises(
        DataError, match=r"a hold folders of a shipped split .+--folders class/split .+--folders class "
    ):
        reading(tmp_path, paths)
    assert subsets(reading(tmp_path, paths, folders="class")) == {("a", ""), ("b", "")}


def test_a_folder_around_train_and_test_is_entered(tmp_path):
    layout = reading(tmp_path, [f"chest/{part}/{c}/1.png" for part in ("train", "test") for c in AB])
    assert layout.roles.folders == "any/split/class"
    assert {label for label, _ in subsets(layout)} == {"a", "b"}


def test_a_class_beginning_with_a_decimal_point_is_not_hidden(tmp_path):
    layout = reading(tmp_path, [f"{c}/{n}.png" for c in (".5 cm", "1 cm", ".git") for n in range(3)])
    assert {sample.label for sample in layout.samples} == {".5 cm", "1 cm"}


@pytest.mark.parametrize("suffix", ["jfif", "JPE", "jif", "pjpeg", "dib"])
def test_other_suffixes_of_images_are_read(tmp_path, suffix):
    assert len(reading(tmp_path, ["a/1.png", f"b/1.{suffix}"]).samples) == 2


@pytest.mark.parametrize("suffix", ["gif", "heic", "svs", "npy", "mp4"])
def test_a_class_of_another_kind_of_file_is_never_lost(tmp_path, suffix):
    paths = ["a/1.png", "b/1.png", f"c/1.{suffix}", f"c/2.{suffix}"]
    with pytest.raises(
        DataError, match=rf"none of the 2 files in c is an image by its name \(.{suffix}\).+'c' would vanish"
    ):
        reading(tmp_path, paths)
    assert len(reading(tmp_path, paths, skip="^c/").samples) == 2


def test_empty_folders_and_documents_are_said(tmp_path):
    layout = reading(tmp_path, ["a/1.png", "b/1.png", "c/", "docs/readme.txt"])
    assert layout.notes == [
        "the folder 'c' is empty: it is no class",
        "the folder 'docs' holds 1 documents and no image: it is no class",
    ]


def test_images_beside_another_folder_are_asked_about(tmp_path):
    with pytest.raises(DataError, match=r"images may be no class but images or masks .+--skip '\(\^\|/\)images/'"):
        reading(tmp_path, ["images/1.png", "benign/1.png"])


@pytest.mark.parametrize("read", [{"folders": "patient/class"}, {"folders": "split"}, {"skip": "("}])
def test_impossible_settings_are_refused(read):
    with pytest.raises(ValueError, match=r"folders|skip"):
        ReadParams(**read)


@pytest.mark.parametrize("top", ["Dataset_BUSI_with_GT", "archive/data_v2/images"])
def test_a_single_folder_around_the_classes_is_no_class(tmp_path, top):
    layout = reading(tmp_path, [f"{top}/{c}/{n}.png" for c in AB for n in range(3)])
    assert {sample.label for sample in layout.samples} == set(AB)


def test_a_single_folder_that_names_a_class_stays_one(tmp_path):
    layout = reading(tmp_path, [f"benign/{c}/{n}.png" for c in AB for n in range(3)])
    assert {sample.label for sample in layout.samples} == {"benign"}


def test_folders_within_classes_are_asked_about(tmp_path):
    paths = [f"{organ}/{organ}_{c}/{n}.png" for organ in ("lung", "colon") for c in AB for n in range(3)]
    with pytest.raises(
        DataError, match=r"the classes may be colon, lung, or the folders in them, .*--folders any/class"
    ):
        reading(tmp_path, paths, is_new=True)
    assert {sample.label for sample in reading(tmp_path, paths).samples} == {"lung", "colon"}  # as a task reads them
    with_dates = [f"{c}/{c}-{day}/{n}.png" for c in AB for day in (1, 2) for n in range(3)]
    assert {sample.label for sample in reading(tmp_path / "b", with_dates, is_new=True).samples} == set(AB)


def test_a_class_of_documents_is_named_when_one_is_left(tmp_path):
    paths = [f"a/{n}.png" for n in range(3)] + [f"b/{n}.txt" for n in range(3)]
    with pytest.raises(DataError, match=r"only one class \(a\).*the folder 'b' holds 3 documents and no image"):
        reading(tmp_path, paths)


def test_folders_of_patients_of_a_class_are_asked_about(tmp_path):
    paths = [f"{'benign' if n % 2 else 'malignant'}_P{n:02}/{k}.png" for n in range(8) for k in range(2)]
    with pytest.raises(DataError, match="look like patients of the classes benign, malignant"):
        reading(tmp_path, paths, is_new=True)
    assert len(subsets(reading(tmp_path, paths, is_new=True, folders="class"))) == 8


def test_grades_and_sizes_are_no_patients(tmp_path):
    paths = [f"{name}/1.png" for name in ("grade_01", "grade_02", "size_10", "size_20", "normal", "other")]
    assert len(subsets(reading(tmp_path, paths, is_new=True))) == 6


def test_images_that_stand_there_twice_are_asked_about(tmp_path):
    paths = [f"{c}/{n}.{suffix}" for c in AB for n in range(5) for suffix in ("jpg", "png")]
    with pytest.raises(DataError, match=r"twice, as .jpg, .png: .+ --skip '\\.png\$'"):
        reading(tmp_path, paths, is_new=True)
    assert len(reading(tmp_path, paths, is_new=True, skip="").samples) == 20
