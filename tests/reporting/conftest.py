"""Projects of which every stage before the report has run."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline import evaluate, holdout, learning_curve, select_best, train
from pipeline.data import raw_changes
from tests.helpers.models import blank_charts, folder_of, held_out_set, image_project, train_and_evaluate, write_params
from tests.helpers.reports import MODELS, describe_data


@pytest.fixture(autouse=True)
def _blank_charts():
    with blank_charts():
        yield


@pytest.fixture(scope="session")
def reported(scored, tmp_path_factory):
    """The scored table project with a second model and subgroups, and with what scan, audit and split would have written."""
    folder = shutil.copytree(scored, tmp_path_factory.mktemp("rows"), dirs_exist_ok=True)
    with folder_of(folder):
        write_params(MODELS, subgroups={"age": [50]})
        train.main("floor")
        evaluate.main("t")
        select_best.main("t")
        learning_curve.main("t")
        holdout.main("t")
        describe_data("table", {"dev": [f"row {n}" for n in range(200)], "test": [f"test {n}" for n in range(60)]})
    return folder


@pytest.fixture
def rows(reported, work_in_copy):
    """A copy of it as the current folder."""
    return work_in_copy(reported)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """An image project of which every stage before the report has run."""
    with folder_of(tmp_path_factory.mktemp("images")) as folder:
        make_drawn(tmp_path_factory.getbasetemp())
    return folder


def make_drawn(session, features="embedding", **select):
    """Run every stage before the report on drawn images, some of them with columns."""
    models = {"near": {"estimator": "knn", "n_neighbors": 3, "features": features}}
    dev = image_project(session, models, **select)
    test = held_out_set(dev, 12)
    for data in (dev, test) if "columns" in features else ():
        data.arrays["column:age"] = np.linspace(20, 80, len(data.y))
        data.arrays["column:sex"] = np.array(["f", "m", ""] * len(data.y))[: len(data.y)]
    dev.save(Path("data/t/dev.npz"))
    test.save(Path("data/t/test.npz"))
    train_and_evaluate(models)
    select_best.main("t")
    learning_curve.main("t")
    holdout.main("t")
    for n in range(12):
        shutil.copy(f"raw/{n}.png", f"raw/t{n}.png")
    raw_changes.record(raw_changes.RawData.read("raw"), "t")
    describe_data("image", {"dev": [f"{n}.png" for n in range(24)], "test": [f"t{n}.png" for n in range(12)]})
