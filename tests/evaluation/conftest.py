"""Table projects with three models, made once."""

import contextlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline import holdout, select_best
from tests.helpers.models import THREE_MODELS, blank_charts, dataset, folder_of, mixed, train_and_evaluate, write_params


@pytest.fixture
def real_charts():
    """Charts are drawn; see `_blank_charts`."""


@pytest.fixture(autouse=True)
def _blank_charts(request):
    """Of no test but one that has `real_charts` a stage draws any."""
    with contextlib.nullcontext() if "real_charts" in request.fixturenames else blank_charts():
        yield


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory):
    """A project whose models are trained and evaluated; there is no test set."""
    with folder_of(tmp_path_factory.mktemp("evaluated")) as folder:
        write_params(THREE_MODELS)
        dataset(*mixed(120), np.arange(120) // 2).save(Path("data/t/dev.npz"))
        train_and_evaluate(THREE_MODELS)
    return folder


@pytest.fixture(scope="session")
def scored_models(evaluated, tmp_path_factory):
    """The same with a champion, and a test set that has been opened."""
    folder = tmp_path_factory.mktemp("scored")
    with folder_of(shutil.copytree(evaluated, folder, dirs_exist_ok=True)):
        dataset(*mixed(50, seed=5), folds=0).save(Path("data/t/test.npz"))
        select_best.main("t")
        holdout.main("t")
    return folder


@pytest.fixture
def scored_project(scored_models, work_in_copy):
    """A copy of it as the current folder."""
    return work_in_copy(scored_models)
