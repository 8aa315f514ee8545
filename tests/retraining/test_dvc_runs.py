"""The progress of a graph, from DVC's log and the durations of the last run."""

import json
import os
import subprocess
import sys
from pathlib import Path

from pipeline.core import artifacts
from pipeline.core.stage import durations
from pipeline.retraining import dvc_runs
from tests.helpers.samples import ROOT


def test_progress_comes_from_the_log_and_the_last_durations(uploaded):
    Path("log.txt").write_text(
        "Stage 'check' didn't change, skipping\nRunning stage 'scan@skin':\n> python\nRunning stage 'au"
    )
    assert dvc_runs.stages_in(Path("log.txt")) == ["check", "scan@skin"]
    names = dvc_runs.stages_of("skin")
    assert names == [
        "check", "backbone", "scan@skin", "audit@skin", "split@skin", "preprocess@skin",
        "train@skin-dummy", "evaluate@skin", "select_best@skin",
    ]  # fmt: skip
    lines = [{"stage": "scan", "key": "skin", "seconds": s} for s in (9, 2.5)] + [
        {"stage": "check", "key": "", "seconds": 1}
    ]
    artifacts.write_bytes("logs/timings.jsonl", "".join(json.dumps(line) + "\n" for line in lines).encode())
    assert durations() == {"scan@skin": 2.5, "check": 1}


def test_a_half_written_lock_is_set_aside_before_dvc_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    Path("dvc.yaml").write_text("stages:\n  one:\n    cmd: echo one > one.txt\n    outs: [one.txt]\n")
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet", "--no-scm"], check=True)
    assert dvc_runs.run("repro").returncode == 0
    whole = Path("dvc.lock").read_bytes()
    Path("dvc.lock").write_bytes(whole[: whole.index(b"outs")] + b"ou")
    os.utime("dvc.lock", (1, 1))
    assert dvc_runs.run("repro").returncode == 0
    assert "dvc.lock was half written" in capsys.readouterr().err
    assert Path("dvc.lock").read_bytes() == whole
