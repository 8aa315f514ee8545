"""Projects with a real MLflow store in a temporary folder."""

import shutil

import pytest

from pipeline.tracking import mlflow_store
from tests.helpers.tracked import client_at, make_project


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    for name in ("DVC_ROOT", "DVC_EXP_NAME", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """An MLflow database with nothing in it: making one takes seconds, copying it does not."""
    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    client_at(path)
    return path


@pytest.fixture
def small(tmp_path, monkeypatch, empty_store):
    """A project with one task and an empty store; the current folder."""
    folder = make_project(tmp_path / "small")
    monkeypatch.chdir(folder)
    (folder / "mlflow").mkdir()
    shutil.copyfile(empty_store, folder / "mlflow/mlflow.db")
    mlflow_store.finish(mlflow_store.database())
    return folder
