"""DVC as a process of its own; that it ends with the one that started it is tried in tests/e2e/test_assay_run.py."""

import os
import subprocess
import sys
from importlib.metadata import version

import pytest

from pipeline.core import dvc_program
from tests.helpers.samples import ROOT


def test_it_is_dvc_and_takes_its_arguments():
    done = subprocess.run([*dvc_program.command(5), "--version"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, version("dvc"))


def test_neither_a_name_nor_an_active_environment_is_needed(tmp_path):
    unknown = "import pwd\ndef no_name(uid): raise KeyError(uid)\npwd.getpwuid = no_name\n"
    start = [sys.executable, "-c", unknown + dvc_program.command()[2]]
    names = {"LOGNAME", "USER", "LNAME", "USERNAME"}
    env = {name: value for name, value in os.environ.items() if name not in names} | {"PYTHONPATH": str(ROOT)}
    (tmp_path / "dvc.yaml").write_text("stages: {one: {cmd: python -c 1}}\n")
    env["PATH"] = os.defpath  # as where the environment is not active
    for arguments in (["init", "--no-scm"], ["repro"]):
        done = subprocess.run([*start, *arguments], cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not hasattr(os, "nice"), reason="no priorities here")
def test_a_priority_is_never_raised(monkeypatch):
    given = []
    monkeypatch.setattr(os, "getpriority", lambda *_: 12)
    monkeypatch.setattr(os, "setpriority", lambda *_: given.append(_[-1]))
    for nice in (0, 10, 15):
        dvc_program.lower_priority(nice)
    assert given == [12, 15]
