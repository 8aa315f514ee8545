"""`assay run` in a small graph: two of them at once, and one that is killed."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from tests.helpers.projects import ROOT, Project

GRAPH = """
stages:
  check:
    cmd: python -c "import pathlib, time; pathlib.Path('up').touch(); time.sleep(4); pathlib.Path('made.txt').write_text('made')"
    deps: [params.yaml]
    outs: [made.txt]
"""
RUN = """
import subprocess
from pipeline import repro
run = subprocess.run
subprocess.run = lambda command, **more: run(command, **more) if "repro" in command else None  # no leaderboard
repro.main()
"""


@pytest.fixture
def graph(tmp_path):
    project = Project(tmp_path, warm=True)
    project.run("dvc", "init", "--no-scm")
    (tmp_path / "dvc.yaml").write_text(GRAPH)
    (tmp_path / "params.yaml").write_text("seed: 1\n")
    return tmp_path


def start(folder):
    command = [sys.executable, "-c", RUN]
    pipe = subprocess.PIPE
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=pipe, stderr=subprocess.STDOUT, text=True)


def wait_for(condition):
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_second_run_waits_for_the_first(graph):
    first = start(graph)
    wait_for((graph / "up").exists)
    second = start(graph)
    printed = second.communicate(timeout=60)[0]
    assert first.communicate(timeout=60)[0].count("Running stage") == 1
    assert printed.startswith("another 'assay run' is under way in this project; this one starts when it has ended")
    assert "Data and pipelines are up to date" in printed
    assert (first.returncode, second.returncode) == (0, 0)


@pytest.mark.skipif(os.name != "posix", reason="no signals here")
def test_a_run_that_is_killed_leaves_no_dvc_behind(graph):
    run = start(graph)
    wait_for((graph / "up").exists)
    (dvc,) = psutil.Process(run.pid).children()
    run.terminate()
    dvc.wait(timeout=3)  # the stage takes 4 s; one of ours ends with its DVC
    run.communicate(timeout=60)
    assert not (graph / "dvc.lock").exists()
