"""Counts in files: nothing is lost between processes, restarts and full disks, and nothing of who asked is in them."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from app import recorder
from app.recorder import Recorder
from pipeline.monitoring.histograms import Tally
from pipeline.monitoring.outcomes import Outcome
from pipeline.prediction.answer import OodScore
from tests.helpers.serving import until

ROOT = Path(__file__).resolve().parents[2]
SEEN = OodScore(distance=0.5, components=np.array([0.1, -3.0]))
ANSWER = {
    "file": "Mrs Smith.png",
    "class": "benign",
    "probabilities": {"benign": 0.8, "malignant": 0.2},
    "reason": "odd",
}
DAY = date(2026, 3, 1)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The working folder is empty, the day is fixed, and nothing is written before it is asked for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recorder, "today", lambda: DAY)
    monkeypatch.setattr(recorder, "EVERY", 3600)


def count(counts, n=1, bundle="line@1"):
    for _ in range(n):
        counts.record("skin", bundle, ANSWER, SEEN, 0.01)


def of_today(counts, bundle="line@1"):
    return counts.days("skin", bundle, 7)["2026-03-01"].n


def test_counts_are_there_at_once_and_after_a_restart():
    first = Recorder()
    count(first, 3)
    assert of_today(first) == 3
    first.flush()
    count(first, 2)
    assert of_today(first) == 5
    first.flush()
    assert of_today(Recorder()) == 5
    assert list(Recorder().days("skin", "line@1", 3)) == ["2026-02-27", "2026-02-28", "2026-03-01"]


def test_bundles_and_tasks_are_counted_apart(monkeypatch):
    counts = Recorder()
    count(counts, 3)
    count(counts, 2, "other@2")
    monkeypatch.setattr(recorder, "today", lambda: date(2026, 3, 2))
    count(counts)
    counts.flush()
    assert [day.n for day in counts.days("skin", "line@1", 3).values()] == [0, 3, 1]
    assert [day.n for day in counts.days("skin", "other@2", 2).values()] == [2, 0]
    assert sum(day.n for day in counts.days("other", "line@1", 3).values()) == 0


def test_a_file_holds_counts_and_nothing_of_who_sent_them():
    counts = Recorder()
    count(counts)
    counts.flush()
    text = Path("data/monitor/skin/2026-03-01.json").read_text()
    assert json.loads(text)["bundles"]["line@1"]["answers"] == {"benign": 1}
    assert not any(word in text for word in ("Smith", "odd", "0.8"))
    assert {path.name for path in Path("data/monitor/skin").iterdir()} <= {"2026-03-01.json", ".lock"}


def test_counts_are_written_without_being_asked(monkeypatch):
    monkeypatch.setattr(recorder, "EVERY", 0.05)
    count(Recorder(), 4)
    until(lambda: Path("data/monitor/skin/2026-03-01.json").exists(), "it is written")
    until(lambda: of_today(Recorder()) == 4, "all of it", 5)


def test_processes_that_count_at_once_lose_nothing():
    code = (
        "from app.recorder import Recorder; counts = Recorder()\n"
        "for _ in range(20):\n"
        "    for _ in range(25):\n"
        "        counts.record('skin', 'line@1', {'class': ''}, None, 0.01)\n"
        "    counts.flush()"
    )
    env = {"PYTHONPATH": str(ROOT), "PATH": ""}
    both = [subprocess.Popen([sys.executable, "-c", code], env=env) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    days = [json.loads(path.read_text()) for path in Path("data/monitor/skin").glob("*.json")]
    assert sum(day["bundles"]["line@1"]["unreadable"] for day in days) == 1000


def test_unwritable_counts_stay_in_memory_until_they_can_be_written(caplog):
    counts = Recorder()
    Path("data").mkdir()
    Path("data/monitor").write_text("a file where the folder should be")
    for _ in range(3):
        count(counts, 2)
        counts.flush()
    assert of_today(counts) == 6
    assert len(caplog.messages) == 1
    assert "cannot be written" in caplog.messages[0]
    Path("data/monitor").unlink()
    count(counts)
    counts.flush()
    assert of_today(Recorder()) == 7


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"format": 1, "bundles": {"line@1": {"distance": [1]}}}', "\xff"]
)
def test_a_damaged_file_is_set_aside_and_counting_goes_on(text, caplog):
    path = Path("data/monitor/skin/2026-03-01.json")
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode("latin-1"))
    counts = Recorder()
    assert of_today(counts) == 0
    assert path.exists()  # who only looks moves nothing
    count(counts)
    counts.flush()
    assert of_today(Recorder()) == 1
    assert path.with_name("2026-03-01.json.damaged").read_bytes() == text.encode("latin-1")
    assert "is damaged; it was renamed" in caplog.text


def test_days_older_than_400_are_deleted():
    folder = Path("data/monitor/skin")
    folder.mkdir(parents=True)
    kept = ["2025-01-25.json", "2026-02-28.json", "notes.txt"]
    for name in [*kept, "2025-01-24.json", "2024-03-01.json.damaged"]:
        (folder / name).write_text("")
    counts = Recorder()
    count(counts)
    counts.flush()
    assert sorted(path.name for path in folder.glob("[!.]*")) == [*kept[:2], "2026-03-01.json", kept[2]]


def test_nothing_that_is_shown_adds_up_to_no_file():
    Recorder().flush()
    assert not Path("data").exists()
    assert sum(Recorder().days("skin", "line@1", 7).values(), Tally()).n == 0


def outcome(name, label="malignant", answer="benign", probability=0.2):
    return Outcome(name, "line@1", DAY, label, answer, probability)


def test_outcomes_are_counted_once_and_without_their_ids():
    counts = Recorder()
    count(counts, 3)
    assert counts.add_outcomes("skin", [outcome("Mrs Smith"), outcome("Mr Li", "benign")]) == 2
    assert counts.add_outcomes("skin", [outcome("Mrs Smith"), outcome("new", "benign", "", None)]) == 1
    counts.flush()
    tally = Recorder().days("skin", "line@1", 7)["2026-03-01"]
    assert tally.n == 3
    assert tally.outcomes == {"malignant": {"benign": 1}, "benign": {"benign": 1, "": 1}}
    files = [path for path in Path("data/monitor").rglob("*") if path.is_file()]
    assert not any(b"Smith" in path.read_bytes() for path in files)


def test_counts_survive_an_unwritable_folder(monkeypatch):
    monkeypatch.setattr(recorder, "EVERY", 0.05)
    counts = Recorder()
    Path("data").mkdir()
    Path("data/monitor").write_text("in the way")
    count(counts, 4)
    until(lambda: counts._failed, "a write has failed")
    Path("data/monitor").unlink()
    # Nothing more is counted: the counts are written by themselves.
    until(lambda: Path("data/monitor/skin/2026-03-01.json").exists(), "the counts are written")
    assert of_today(Recorder()) == 4


def test_counts_survive_an_error_of_any_kind(monkeypatch):
    counts = Recorder()
    count(counts, 4)
    with monkeypatch.context() as patched:
        patched.setattr(recorder.artifacts, "write_bytes", lambda *_: 1 / 0)
        counts.flush()
    assert of_today(counts) == 4
    counts.flush()
    assert of_today(Recorder()) == 4
