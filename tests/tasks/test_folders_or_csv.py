"""Class folders and a CSV of the same images: the one with the labels is read, and no patient is lost."""

from pathlib import Path

import pytest

from pipeline import init_task
from pipeline.core import params
from pipeline.core.errors import DataError
from tests.helpers.samples import put

pytestmark = pytest.mark.usefixtures("project")


def test_folders_that_a_csv_labels_otherwise_are_asked_about(project):
    rows = "".join(f"{n},{'pq'[n % 2]}\n" for n in range(30))
    put(Path("data/raw/skin"), {"labels.csv": "image_id,dx\n" + rows})
    for n in range(30):
        (Path("data/raw/skin/malignant") / f"{n}.png").rename(Path("data/raw/skin/malignant") / f"m{n}.png")
    rows = "".join(f"{'m' * (k == 1)}{n},{'pq'[n % 2]}\n" for k in range(2) for n in range(30))
    put(Path("data/raw/skin"), {"labels.csv": "image_id,dx\n" + rows})
    with pytest.raises(DataError, match=r"labels.csv names the same images and labels them otherwise \(column 'dx'\)"):
        init_task.main("skin", "data/raw/skin")
    init_task.main("folders", "data/raw/skin", "--folders", "class")
    init_task.main("csv", "data/raw/skin/labels.csv")
    assert params.task("csv").preprocess.positive in ("p", "q")
    assert params.task("folders").preprocess.positive == "malignant"


@pytest.mark.parametrize("column", ["file", "path"])
def test_patients_of_images_in_class_folders_are_not_lost(project, column):
    rows = "".join(f"{c}/{n}.png,{c[0]}{n // 5},{40 + n}\n" for c in ("benign", "malignant") for n in range(30))
    put(Path("data/raw/skin"), {"patients.csv": f"{column},patient_id,age\n{rows}"})
    with pytest.raises(DataError, match=r"names the images and their groups \(column 'patient_id'\), but no classes"):
        init_task.main("skin", "data/raw/skin")
    init_task.main("skin", "data/raw/skin", "--folders", "class", "--no-group")
    assert params.task("skin").preprocess.positive == "malignant"
