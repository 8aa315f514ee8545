"""kill -9 at random moments of every stage, with DVC as it is: after `pipeline.recover` a run ends as if nothing had happened.

A copy of the project is run, killed, and run on, until it is done; then another, until there were KILLS. Moments are drawn within
each stage's share of the undisturbed run, DVC's own work after the stage included, so that short stages are hit as often as long
ones. One time in five only DVC is killed, and its stage is left behind.
"""

import hashlib
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.figures import Figure, save
from pipeline.core.errors import BundleError
from pipeline.prediction.bundle import read
from tests.helpers.projects import Project, environment, new_project

KILLS, SEED = 50, 20
OUTPUTS = ("data", "models", "reports")
START = "start of DVC"


class Running:
    """A `dvc repro` under way: `seen` holds (seconds, stage) for every stage that was started."""

    def __init__(self, project: Project):
        self.seen, self.text, self.begun = [(0.0, START)], [], time.monotonic()
        self.process = subprocess.Popen(
            ["dvc", "repro"],
            cwd=project.folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        with self.process.stdout as lines:
            for line in lines:
                self.text.append(line)
                if begun := re.match(r"Running stage '(.+)':", line):
                    self.seen.append((time.monotonic() - self.begun, begun[1]))

    def wait_for(self, stage: str) -> bool:
        """Return True once `stage` has been started, False if DVC ends before."""
        while stage not in [name for _, name in self.seen]:
            if self.process.poll() is not None:
                return False
            time.sleep(0.02)
        return True

    def kill(self, alone: bool) -> str:
        """Kill DVC, alone or with its stage, and return the stage that was under way."""
        (os.kill if alone else os.killpg)(self.process.pid, signal.SIGKILL)
        self.process.wait()
        return self.seen[-1][1]

    def end(self) -> None:
        """Wait for the end; fail the test unless it is a good one."""
        assert self.process.wait(timeout=1200) == 0, "".join(self.text)
        self._reader.join()


def contents(project: Project) -> dict[str, str]:
    """Return the MD5 of dvc.lock, of what MLflow's mirror says it holds, and of every output."""
    files = [path for name in OUTPUTS for path in (project.folder / name).rglob("*") if path.is_file()]
    files += [project.folder / "dvc.lock", project.folder / "mlflow/tracked.json"]
    return {path.relative_to(project.folder).as_posix(): md5(path) for path in files if path.exists()}


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def half_written(project: Project, whole: dict[str, str]) -> list[str]:
    """Return what is not whole, though it bears the name of something that is: outputs and objects of the cache."""
    now = contents(project)
    bad = [path for path, digest in now.items() if path in whole and digest != whole[path] and path != "dvc.lock"]
    for path in (project.folder / ".dvc/cache/files/md5").glob("??/*"):
        name = path.parent.name + path.name
        if re.fullmatch(r"[0-9a-f]{32}(\.dir)?", name) and md5(path) != name[:32]:
            bad.append(f"cache: {name}")
    return bad


def champions(project: Project) -> dict[str, str]:
    """Return the model in each task's bundle, of those that a loader takes."""
    models = {}
    for folder in sorted(project.folder.glob("models/*/best")):
        try:
            models[folder.parent.name] = read(folder).info.model
        except BundleError:
            continue
    return models


def tracked_runs(project: Project) -> list[tuple]:
    """Return (name, status) of the runs in the MLflow store that were not deleted."""
    with sqlite3.connect(project.folder / "mlflow/mlflow.db") as database:
        rows = database.execute("SELECT name, status FROM runs WHERE lifecycle_stage = 'active' ORDER BY name")
        return rows.fetchall()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A project that ran without being disturbed, and how long each of its stages took, in seconds."""
    project = new_project(tmp_path_factory.mktemp("kill") / "undisturbed", small=True)
    running = Running(project)
    running.end()
    ends = [*(when for when, _ in running.seen[1:]), time.monotonic() - running.begun]
    return project, {name: end - when for (when, name), end in zip(running.seen, ends, strict=True)}


def test_after_kill_9_the_next_run_has_the_same_bytes(undisturbed, tmp_path):
    calm, seconds = undisturbed
    whole, best, runs = contents(calm), champions(calm), tracked_runs(calm)
    draw, hit, begun, round_number, recovered = random.Random(SEED), Counter(), time.monotonic(), 0, 0
    while hit.total() < KILLS:
        round_number += 1
        project = new_project(tmp_path / f"round-{round_number}", small=True)
        left = KILLS - hit.total()
        chosen = set(draw.sample(list(seconds), min(left, len(seconds))))
        targets = [stage for stage in seconds if stage in chosen]
        for stage in targets:
            running, alone = Running(project), draw.random() < 0.2
            if not running.wait_for(stage):
                break  # it was done before the last kill; what remains of this round is done, too
            time.sleep(draw.random() * seconds[stage])
            if running.process.poll() is not None:
                break
            where = running.kill(alone)
            hit[where] += 1
            print(f"{hit.total()}: {'DVC alone' if alone else 'all'} killed at {where}", flush=True)
            recovered += project.run("python", "-m", "pipeline.recover").stdout.count("half written")
            assert half_written(project, whole) == [], where
            assert champions(project).items() <= best.items(), where
        Running(project).end()
        assert contents(project) == whole
        assert tracked_runs(project) == runs
        from_run_cache(project, whole)
        shutil.rmtree(project.folder)
    save_figures(hit, recovered, seconds, round_number, time.monotonic() - begun)


def from_run_cache(project: Project, whole: dict[str, str]) -> None:
    """Check that the cache survived: from it alone everything is there again, and nothing is trained."""
    for name in (*OUTPUTS, "dvc.lock"):
        path = project.folder / name
        path.unlink() if path.is_file() else shutil.rmtree(path)
    project.run("git", "checkout", "--quiet", "--", "data", "models")  # what is not an output there
    running = Running(project)
    running.end()
    assert not [stage for _, stage in running.seen if stage.startswith(("scan", "train", "evaluate"))]
    assert contents(project) == whole


def save_figures(hit: Counter, recovered: int, seconds: dict[str, float], rounds: int, took: float) -> None:
    stages = {name.split("@")[0] for name in seconds}
    hits = ", ".join(f"{name} {count}" for name, count in hit.items())
    figures = [
        Figure("kill -9, the next run ended with the same bytes", hit.total(), f"of {KILLS}; {hits}", at_least=KILLS),
        Figure(
            "stages hit", len({name.split("@")[0] for name in hit}), f"of {len(stages)}, DVC's start counted as one"
        ),
        Figure("files of DVC left half written, and recovered", recovered, "dvc.lock or the list of running commands"),
        Figure("an undisturbed run", sum(seconds.values()), "the small graph of the tests, from nothing", unit="s"),
        Figure(
            "all of it", took / 60, f"{rounds} runs with their kills, and each again from the cache alone", unit="min"
        ),
    ]
    save("soak_kill", "kill -9 at random moments", figures, command="make soak")
