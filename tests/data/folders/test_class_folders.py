"""Folders that are no classes: recognised, or asked about, and no file and no shipped split vanishes."""

from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.core.params_models import ReadParams
from pipeline.data.folders.class_folders import FolderReading, read_folders
from pipeline.data.folders.folder_names import split_names
from tests.helpers.samples import put

AB = ("a", "b")


def reading(root: Path, paths: list[str], is_new: bool = False, **read: str) -> FolderReading:
    """Return what is read of empty files at these paths; a path that ends with / is an empty folder."""
    put(root, {path: b"" for path in paths if not path.endswith("/")})
    for path in paths:
        if path.endswith("/"):
            (root / path).mkdir(parents=True)
    return read_folders(root, ReadParams(**read), is_new=is_new)


def subsets(layout: FolderReading) -> set[tuple[str, str]]:
    """Return the pairs of label and shipped split."""
    return {(sample.label, sample.shipped) for sample in layout.samples}


@pytest.mark.parametrize(
    ("train", "test"),
    [("train_set", "test_set"), ("Training Images", "Testing Images"), ("ISIC_Training_Input", "ISIC_Test_Input"),
     ("trainset", "testset"), ("data_train", "data_val"), ("01_train", "02_test")],
)  # fmt: skip
def test_split_folders_keep_the_shipped_split(tmp_path, train, test):
    layout = reading(tmp_path, [f"{folder}/{c}/{n}.png" for folder in (train, test) for c in AB for n in range(3)])
    assert layout.roles.folders == "split/class"
    assert {subset for _, subset in subsets(layout)} in ({"train", "test"}, {"train", "valid"})


@pytest.mark.parametrize(
    "names", [("tested", "trained"), ("train", "benign"), ("test1", "test2"), ("latest", "contest")]
)
def test_other_words_are_no_splits(names):
    assert len(split_names(names)) < len(names)


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


def test_folds_are_asked_about_and_flags_decide(tmp_path):
    paths = [f"fold{k}/{c}/{k}.png" for k in (1, 2) for c in AB]
    with pytest.raises(
        DataError, match=r"fold1, fold2 may be folds .+ classes are the folders below, a, b\), or classes"
    ) as error:
        reading(tmp_path, paths)
    assert "--folders any/class" in str(error.value)
    assert "--folders class " in str(error.value)
    assert {label for label, _ in subsets(reading(tmp_path, paths, folders="any/class"))} == {"a", "b"}
    assert {label for label, _ in subsets(reading(tmp_path, paths, folders="class"))} == {"fold1", "fold2"}


@pytest.mark.parametrize("masks", ["masks", "Ground_Truth", "annotations"])
def test_masks_beside_a_folder_of_images_are_left_out(tmp_path, masks):
    layout = reading(tmp_path, [f"{top}/{c}/{n}.png" for top in ("images", masks) for c in AB for n in range(3)])
    assert (layout.roles.folders, subsets(layout)) == ("any/class", {("a", ""), ("b", "")})
    assert len(layout.samples) == len(layout.skipped) == 6
    assert {skip.reason for skip in layout.skipped} == {"is left out as a mask or otherwise no sample (read.skip)"}


def test_masks_inside_class_folders_are_left_out(tmp_path):
    layout = reading(tmp_path, [f"{c}/{part}/{n}.png" for c in AB for part in ("images", "masks") for n in range(3)])
    assert (len(layout.samples), len(layout.skipped)) == (6, 6)


def test_masks_beside_their_images_are_left_out(tmp_path):
    names = [f"{c}/{c} ({n}){end}.png" for c in AB for n in range(3) for end in ("", "_mask", "_mask_1")]
    layout = reading(tmp_path, names)
    assert (len(layout.samples), len(layout.skipped)) == (6, 12)


@pytest.mark.parametrize("end", ["_L", "_superpixels", "_manual1", "-Label"])
def test_masks_of_other_names_are_left_out(tmp_path, end):
    names = [f"{c}/{n}{more}.png" for c in AB for n in range(3) for more in ("", end)]
    assert len(reading(tmp_path, names).samples) == 6


def test_left_and_right_eyes_are_samples(tmp_path):
    names = [f"{c}/{n}{side}.png" for c in AB for n in range(3) for side in ("_L", "_R")]
    assert len(reading(tmp_path, names).samples) == 12


def test_a_class_that_begins_with_a_decimal_point_is_not_hidden(tmp_path):
    layout = reading(tmp_path, [f"{c}/{n}.png" for c in (".5 cm", "1 cm", ".git") for n in range(3)])
    assert {sample.label for sample in layout.samples} == {".5 cm", "1 cm"}


@pytest.mark.parametrize("names", [("with_mask", "without_mask"), ("unmasked", "masked")])
def test_classes_about_masks_stay_classes(tmp_path, names):
    paths = [f"{name}/{n}.png" for name in names for n in range(3)]
    assert {label for label, _ in subsets(reading(tmp_path, paths))} == set(names)


def test_a_class_named_mask_is_asked_about(tmp_path):
    paths = [f"{name}/{n}.png" for name in ("mask", "no mask") for n in range(3)]
    with pytest.raises(DataError, match=r"mask may be no class but images or masks .+ A class: --folders class"):
        reading(tmp_path, paths)
    assert len(reading(tmp_path, paths, folders="class").samples) == 6


def test_file_names_that_end_with_mask_alone_are_samples(tmp_path):
    assert len(reading(tmp_path, [f"{c}/{n}_mask.png" for c in AB for n in range(3)]).samples) == 6


def test_patients_above_classes_are_the_groups(tmp_path):
    layout = reading(tmp_path, [f"patient{p:02}/{c}/{n}.png" for p in range(6) for c in AB for n in range(2)])
    assert layout.roles.folders == "any/class"
    assert layout.roles.group_from == "^([^/]+)/"


def test_numbers_above_classes_are_asked_about(tmp_path):
    paths = [f"{p}/{c}/{n}.png" for p in range(9) for c in AB for n in range(2)]
    with pytest.raises(
        DataError, match=r"may be patients, with the classes a, b below, or classes. Patients: --folders"
    ):
        reading(tmp_path, paths)


def test_patients_without_classes_are_no_classes(tmp_path):
    with pytest.raises(DataError, match="look like patients, not classes"):
        reading(tmp_path, [f"patient_{p}/{n}.png" for p in range(6) for n in range(3)])


def test_classes_above_patients_stay_the_classes(tmp_path):
    layout = reading(tmp_path, [f"{c}/patient{p}{c}/{n}.png" for c in AB for p in range(4) for n in range(2)])
    assert (layout.roles.folders, layout.roles.group_from) == ("class", None)


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


def test_an_empty_class_of_two_is_not_replaced_by_patients(tmp_path):
    with pytest.raises(DataError, match=r"only one class \(malignant\).*the folder 'benign' is empty"):
        reading(tmp_path, ["benign/", *(f"malignant/patient{p}/1.png" for p in range(4))])


def test_images_beside_another_folder_are_asked_about(tmp_path):
    with pytest.raises(DataError, match=r"images may be no class but images or masks .+--skip '\(\^\|/\)images/'"):
        reading(tmp_path, ["images/1.png", "benign/1.png"])


@pytest.mark.parametrize("read", [{"folders": "patient/class"}, {"folders": "split"}, {"skip": "("}])
def test_impossible_settings_are_refused(read):
    with pytest.raises(ValueError, match=r"folders|skip"):
        ReadParams(**read)


@pytest.mark.parametrize(
    ("tops", "below"), [(("eye", "skin"), ("mel", "nv")), (("adult", "child"), ("normal", "ill", "worse"))]
)
def test_two_levels_that_may_be_classes_are_asked_about(tmp_path, tops, below):
    paths = [f"{top}/{name}/{n}.png" for top in tops for name in below for n in range(3)]
    with pytest.raises(DataError, match=r"the classes may be .* or .* --folders any/class"):
        reading(tmp_path, paths)
    assert {label for label, _ in subsets(reading(tmp_path, paths, folders="any/class"))} == set(below)


@pytest.mark.parametrize("below", [("40X", "100X"), ("left", "right")])
def test_a_level_with_benign_holds_the_classes(tmp_path, below):
    paths = [f"{top}/{name}/{n}.png" for top in ("benign", "malignant") for name in below for n in range(3)]
    assert {label for label, _ in subsets(reading(tmp_path, paths))} == {"benign", "malignant"}


def test_label_maps_next_to_images_are_no_samples(tmp_path):
    layout = reading(tmp_path, [f"{c}/{n}{end}.png" for c in AB for n in range(3) for end in ("", "_label")])
    assert [sample.path for sample in layout.samples if "label" in sample.path] == []
    named = reading(tmp_path / "own", [f"{c}/{n}_label.png" for c in AB for n in range(3)])
    assert len(named.samples) == 6


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


def test_numbered_folders_are_cases_and_no_classes(tmp_path):
    with pytest.raises(DataError, match="look like patients, not classes"):
        reading(tmp_path, [f"BraTS20_Training_{n:03}/t1.png" for n in range(8)], is_new=True)


@pytest.mark.parametrize("name", ["class_{:02}", "Grade{:02}"])
def test_numbered_classes_stay_classes(tmp_path, name):
    layout = reading(tmp_path, [f"{name.format(n)}/{k}.png" for n in range(8) for k in range(2)], is_new=True)
    assert len({sample.label for sample in layout.samples}) == 8


def test_a_class_of_documents_is_named_when_one_is_left(tmp_path):
    paths = [f"a/{n}.png" for n in range(3)] + [f"b/{n}.txt" for n in range(3)]
    with pytest.raises(DataError, match=r"only one class \(a\).*the folder 'b' holds 3 documents and no image"):
        reading(tmp_path, paths)
