"""Whether a level of folders holds patients, splits or classes is inferred, or asked about."""

import pytest

from pipeline.core.errors import DataError
from tests.helpers.folders import AB, reading, subsets


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


def test_classes_named_like_a_split_are_asked_about(tmp_path):
    with pytest.raises(DataError, match=r"named like classes in parts of a shipped split. Put them into train/CLASS"):
        reading(tmp_path, [f"{c}_{part}/0.png" for c in AB for part in ("train", "test")], is_new=True)


def test_folds_above_a_split_are_read_by_all_levels(tmp_path):
    with pytest.raises(DataError, match="--folders any/split/class"):
        reading(tmp_path, [f"fold_{k}/{part}/{c}/0.png" for k in (0, 1) for part in ("train", "test") for c in AB])


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


def test_an_empty_class_of_two_is_not_replaced_by_patients(tmp_path):
    with pytest.raises(DataError, match=r"only one class \(malignant\).*the folder 'benign' is empty"):
        reading(tmp_path, ["benign/", *(f"malignant/patient{p}/1.png" for p in range(4))])


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


def test_numbered_folders_are_cases_and_no_classes(tmp_path):
    with pytest.raises(DataError, match="look like patients, not classes"):
        reading(tmp_path, [f"BraTS20_Training_{n:03}/t1.png" for n in range(8)], is_new=True)


@pytest.mark.parametrize("name", ["class_{:02}", "Grade{:02}"])
def test_numbered_classes_stay_classes(tmp_path, name):
    layout = reading(tmp_path, [f"{name.format(n)}/{k}.png" for n in range(8) for k in range(2)], is_new=True)
    assert len({sample.label for sample in layout.samples}) == 8


def test_patients_above_a_split_are_groups(tmp_path):
    paths = [f"patient{p}/{('train', 'test')[p % 2]}/{c}/{p}.png" for p in range(8) for c in AB]
    layout = reading(tmp_path, paths, is_new=True)
    assert (layout.roles.folders, layout.roles.group_from) == ("any/split/class", "^([^/]+)/")
    assert subsets(layout) == {(c, part) for c in AB for part in ("train", "test")}


def test_sites_above_a_split_are_a_question(tmp_path):
    paths = [f"{site}/{part}/{c}/1.png" for site in ("berlin", "paris") for part in ("train", "test") for c in AB]
    with pytest.raises(DataError, match=r"--folders any/split/class; .+--folders class/split"):
        reading(tmp_path, paths, is_new=True)


@pytest.mark.parametrize(("part", "other", "name"), [("test", "apprentissage", "train"), ("train", "eval", "test")])
def test_a_folder_may_be_the_other_part(tmp_path, part, other, name):
    with pytest.raises(DataError, match=f"if {other} is the other part, call it {name}"):
        reading(tmp_path, [f"{folder}/{c}/1.png" for folder in (part, other) for c in AB])
