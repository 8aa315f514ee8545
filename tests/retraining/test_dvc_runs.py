"""The progress of a graph, from DVC's log and the durations of the last run."""

import json
from pathlib import Path

from pipeline.core import artifacts
from pipeline.core.stage import durations
from pipeline.retraining import dvc_runs


def test_progress_comes_from_the_log_and_the_last_durations(uploaded):
    Path("log.txt").write_text(
        "Stage 'check' didn't change, skipping\nRunning stage 'scan@skin':\n> python\nRunning stage 'au"
    )
    assert dvc_runs.stages_in(Path("log.txt")) == ["check", "scan@skin"]
    names = dvc_runs.stages_of("skin")
    assert names == [
        "check", "backbone", "scan@skin", "audit@skin", "split@skin", "preprocess@skin",
        "train@skin-dummy", "evaluate@skin-dummy", "select_best@skin",
    ]  # fmt: skip
    lines = [{"stage": "scan", "key": "skin", "seconds": s} for s in (9, 2.5)] + [
        {"stage": "check", "key": "", "seconds": 1}
    ]
    artifacts.write_bytes("logs/timings.jsonl", "".join(json.dumps(line) + "\n" for line in lines).encode())
    assert durations() == {"scan@skin": 2.5, "check": 1}
