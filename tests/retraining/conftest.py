"""Projects to which batches of samples are submitted."""

import shutil

import pytest

from pipeline.core import artifacts
from pipeline.data import upload_ledger, uploads
from pipeline.retraining import dvc_runs
from pipeline.tracking import mirror
from tests.samples import task, write_params
from tests.uploads import make_task


@pytest.fixture(scope="session")
def split_task(tmp_path_factory, program):
    """A project with the image task `skin`, split, made once."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        make_task(program)
    return folder


@pytest.fixture
def project(split_task, tmp_path, monkeypatch):
    """A copy of it as the working folder, which shares its store of features."""
    shutil.copytree(split_task, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("DVC_ROOT", str(split_task))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def uploaded(empty_folder, tmp_path, monkeypatch):
    """A working folder with a task `skin`, a champion of made-up bytes and a batch of two samples."""
    write_params(task())
    artifacts.write_json("reports/skin/selection.json", {"bundle": "old"})
    uploads.create("skin")
    with upload_ledger.locked("skin"):
        for k in (2, 1):
            upload_ledger.append("skin", upload_ledger.Collected(id=f"{k:016x}", label="a", batch="b"))
    monkeypatch.setattr(dvc_runs, "cache_folder", lambda: "/cache")
    monkeypatch.setattr(mirror, "track_decisions", lambda task: None)  # see tests/tracking/test_mirror.py
    return tmp_path
