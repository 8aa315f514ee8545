"""Projects to which batches of samples are submitted."""

import pytest

from pipeline.core import artifacts
from pipeline.data import upload_ledger, uploads
from pipeline.retraining import dvc_runs
from pipeline.tracking import mirror
from tests.helpers.samples import task, write_params


@pytest.fixture
def project(split_task, work_in_copy, monkeypatch):
    """A copy of `split_task` as the working folder, which shares its store of features."""
    monkeypatch.setenv("DVC_ROOT", str(split_task))
    return work_in_copy(split_task)


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
