"""Folders and the CSV that lists their images are read together."""

from pathlib import Path

import pytest

from pipeline import init_task
from pipeline.core import params
from pipeline.core.errors import DataError, SplitError
from tests.helpers.samples import put

pytestmark = pytest.mark.usefixtures("project")


def test_a_csv_of_one_part_uses_the_other(project):
    files = {f"{part}/{n}.png": n + 50 * (part == "test") for part in ("train", "test") for n in range(24)}
    texts = {
        f"{part}.csv": "id,dx\n" + "".join(f"{n}.png,{'xy'[n % 2]}\n" for n in range(24)) for part in ("train", "test")
    }
    put(Path("data/raw/parts"), files | texts)
    for name, path in (("by_file", "data/raw/parts/train.csv"), ("by_folder", "data/raw/parts")):
        init_task.main(name, path, "--no-group")
        task = params.task(name)
        assert (task.read.csv, task.read.test_csv, task.split.by) == ("train.csv", "test.csv", "shipped")


def test_masks_are_sought_although_the_levels_are_named(project):
    files = {}
    for seed, (k, c, n) in enumerate((k, c, n) for k in (1, 2) for c in "ab" for n in range(20)):
        files |= {f"fold{k}/{c}/{n}.png": seed, f"fold{k}/{c}/{n}_mask.png": 1000 + seed}
    put(Path("data/raw/folds"), files)
    init_task.main("folds", "data/raw/folds", "--folders", "any/class", "--no-group")
    assert "mask" in params.task("folds").read.skip
    init_task.main("all", "data/raw/folds", "--folders", "any/class", "--no-group", "--skip", "")
    assert params.task("all").read.skip == ""


def test_a_list_of_labels_next_to_one_folder_is_named(project):
    put(Path("data/raw/list"), {f"pics/{n}.png": n for n in range(8)} | {"list.txt": "pics/0.png a\n"})
    with pytest.raises(DataError, match=r"only one class folder \(pics\); list.txt next to it is not read"):
        init_task.main("skin", "data/raw/list")


def test_other_names_of_classes_in_the_test_set_are_named(project):
    folders = ["train/nevus", "train/melanoma", "test/nevi", "test/melanomas"]
    put(
        Path("data/raw/names"), {f"{folder}/{n}.png": 30 * k + n for k, folder in enumerate(folders) for n in range(20)}
    )
    with pytest.raises(SplitError, match="It alone has melanomas, nevi: if the same is meant, rename them"):
        init_task.main("skin", "data/raw/names", "--no-group")


def test_a_csv_that_labels_folders_is_asked_about(project):
    images = {f"{patient}/{n}.png": 100 * patient + n for patient in range(12) for n in range(4)}
    rows = "".join(f"{patient},{'pq'[patient % 2]}\n" for patient in range(12))
    put(Path("data/raw/patients"), images | {"labels.csv": f"patient,dx\n{rows}"})
    with pytest.raises(
        DataError, match=r"column 'patient' of labels.csv names the folders 0, 1, 10 .*column 'dx' seems"
    ):
        init_task.main("patients", "data/raw/patients")
    init_task.main("patients", "data/raw/patients", "--folders", "class", "--no-group")


def test_a_csv_that_describes_classes_is_no_label_of_folders(project):
    put(Path("data/raw/skin"), {"classes.csv": "name,severe\nbenign,no\nmalignant,yes\n"})
    init_task.main("skin", "data/raw/skin", "--no-group")
    assert params.task("skin").preprocess.positive == "malignant"
