"""A challenger: the graph with one batch of uploads more, run in a copy of the project that shares its DVC cache.

The workspace is neither touched nor locked. One challenge runs at a time, at low priority; how far it is stands in
`data/uploads/<task>/batches/<batch>/status.json`, its output in log.txt beside it, whoever started it and wherever it is watched.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipeline.core import artifacts, params, paths
from pipeline.core.errors import AssayError, DataError
from pipeline.core.paths import TIMINGS, TaskPaths
from pipeline.core.stage import end_with_parent
from pipeline.data import upload_ledger, uploads
from pipeline.data.uploads import Included

TREE = paths.CHALLENGE / "tree"
LOCK = paths.CHALLENGE_LOCK
NICE = 10
POLL = 0.3  # s between two looks at the log
# `dvc` at low priority, which ends with the process that started it
DVC = (sys.executable, "-c", "from pipeline.retraining.sandbox import dvc; dvc()")
ACTIVE = ("preparing", "running", "comparing", "promoting", "rolling back")
# What is copied where there is no git that says what belongs to the project
KNOWN = ("pipeline", "app", ".streamlit", ".dvc/config", ".dvcignore", "dvc.yaml", "dvc.lock", "params.yaml", "reports")
STARTS = ("Running stage '", "Stage '")  # of the lines by which DVC tells where it is


class RetrainError(AssayError):
    """A challenge or a decision cannot go on."""


def folder(task: str, batch: str) -> Path:
    """Return where status, log and comparison of a batch lie."""
    return TaskPaths(task).batch(batch)


@contextmanager
def alone() -> Iterator[None]:
    """Hold the workspace's place for challenges and decisions; raise RetrainError where another one runs."""
    LOCK.parent.mkdir(exist_ok=True)
    try:
        with FileLock(LOCK, timeout=2):
            yield
    except Timeout:
        raise RetrainError(
            "another challenge or decision runs in this workspace: wait, or end it with --cancel"
        ) from None


def is_running() -> bool:
    """Return whether a challenge or decision runs in this workspace."""
    try:
        LOCK.parent.mkdir(exist_ok=True)
        with FileLock(LOCK, timeout=0):
            return False
    except Timeout:
        return True


def said(task: str, batch: str) -> dict[str, Any]:
    """Return the status as it was written last, whether or not somebody still works on it; {} where nothing was."""
    try:
        return artifacts.read_json(folder(task, batch) / "status.json")
    except (OSError, ValueError):
        return {}


def status(task: str, batch: str) -> dict[str, Any]:
    """Return how far a batch is: `state`, and while it runs stage, done, total, seconds_left; {} where nothing was begun.

    States: preparing, running, comparing, compared, failed, cancelled, promoting, rolling back, and interrupted where the
    process that worked on it is gone.
    """
    found = said(task, batch)
    return found | {"state": "interrupted"} if found.get("state") in ACTIVE and not is_running() else found


def say(task: str, batch: str, state: str, **facts: Any) -> None:
    """Write the status."""
    artifacts.write_json(folder(task, batch) / "status.json", {"task": task, "batch": batch, "state": state} | facts)


def rows_of(task: str, batch: str) -> list[Included]:
    """Return a batch's samples as rows of included.csv, sorted by hash; raise DataError where it has none."""
    lines = upload_ledger.samples(task, batch)
    if not lines:
        have = ", ".join(sorted({line["batch"] for line in upload_ledger.samples(task)})) or "none"
        raise DataError(f"task {task} has no batch {batch!r}; it has: {have}")
    rows = [Included(line["id"], line["label"], line["group"], batch) for line in lines]
    return sorted(rows, key=lambda row: row.hash)


def prepare(task: str, batch: str) -> None:
    """Copy the project to the scratch folder, with the batch included there."""
    root = Path.cwd()
    shutil.rmtree(paths.CHALLENGE, ignore_errors=True)
    for name in project_files():
        if (root / name).is_file():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, TREE / name)
    local = f"[core]\n    no_scm = true\n[cache]\n    dir = {cache_folder()}\n"
    artifacts.write_bytes(TREE / ".dvc/config.local", local.encode())
    raw = Path(params.task(task).raw)
    if not raw.is_absolute() and not raw.is_relative_to(paths.DEMO):
        link(raw)
    for shared in (paths.FEATURES, *(TaskPaths(task).uploads / kind for kind, _ in uploads.FOLDERS.values())):
        if shared.exists():
            link(shared)
    old = uploads.read(task)
    seen = {row.hash for row in old}
    rows = [row for row in rows_of(task, batch) if row.hash not in seen]
    artifacts.write_bytes(TREE / "challenge.json", json.dumps({"task": task, "batch": batch}).encode())
    target = TaskPaths(task, TREE).included
    with artifacts.writing_csv(target, uploads.COLUMNS) as add:
        for row in [*old, *rows]:
            add({name: getattr(row, name) for name in uploads.COLUMNS})


def project_files() -> list[str]:
    """Return the project's files: those that git tracks or would track, or where there is no git those that a run needs."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
        return [name for name in done.stdout.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        known = [path for name in KNOWN for path in ([Path(name)] if Path(name).is_file() else Path(name).rglob("*"))]
        known += paths.UPLOADS.glob("*/included.csv")
        return [path.as_posix() for path in known if path.is_file() and "__pycache__" not in path.parts]


def cache_folder() -> str:
    """Return the absolute path of the workspace's DVC cache."""
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "cache", "dir"], capture_output=True, text=True, env=environment()
    )
    if done.returncode:
        raise RetrainError(f"this is no DVC workspace: {done.stderr.strip()}")
    return os.path.abspath(done.stdout.strip())


def link(path: Path) -> None:
    """Let the copy's `path` be the workspace's, which is only read there; raise DataError where that lies outside of the copy."""
    target = Path(os.path.normpath(TREE / path))
    if not target.is_relative_to(paths.CHALLENGE):
        raise DataError(f"{path.as_posix()}: lies outside of the project; name it by its absolute path in params.yaml")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.symlink_to(path.absolute(), target_is_directory=path.is_dir())
    except OSError:  # Windows, without the right to do so
        (shutil.copytree if path.is_dir() else shutil.copy2)(path, target)


def environment() -> dict[str, str]:
    """Return this process' environment with this Python's programs first, and without what steers DVC."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DVC_")}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def step_back() -> None:
    """Give this process, and what it starts, low priority: whatever serves goes first."""
    if hasattr(os, "nice"):
        os.setpriority(os.PRIO_PROCESS, 0, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))


def dvc() -> None:
    """Be `dvc` with this process' arguments, at low priority, until it is done or the process that started this one is gone."""
    step_back()
    threading.Thread(target=end_with_parent, args=[os.getppid()], daemon=True).start()
    from dvc.cli import main

    sys.exit(main(sys.argv[1:]))


def run_graph(task: str, batch: str) -> None:
    """Run the copy's graph up to the task's champion; raise RetrainError where it fails or is cancelled."""
    place = folder(task, batch)
    stages, seconds, done = stages_of(task), durations(), []
    command = [*DVC, "repro", f"select_best@{task}"]
    with (place / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=TREE, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment()
        )
        try:
            while process.poll() is None:
                found = stages_in(place / "log.txt")
                if found != done or not found:
                    done = found
                    left = [stage for stage in stages if stage not in done[:-1]]
                    facts = {"stage": done[-1] if done else "", "done": max(len(done) - 1, 0), "total": len(stages)}
                    say(
                        task,
                        batch,
                        "running",
                        **facts,
                        seconds_left=round(sum(seconds.get(one, 1) + 0.5 for one in left)),
                    )
                if (place / "cancel").exists():
                    raise RetrainError("cancelled")
                time.sleep(POLL)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode:
        lines = (place / "log.txt").read_text(encoding="utf-8", errors="replace").replace("\r", "\n").splitlines()
        reasons = [line for line in lines if "Error: " in line or line.startswith("ERROR: ")]
        raise RetrainError(
            f"the graph failed: {reasons[0] if reasons else 'see the log'} ({(place / 'log.txt').as_posix()})"
        )


def stages_of(task: str) -> list[str]:
    """Return the names of the stages that lead to the task's champion."""
    block = params.task(task)
    first = ["check"] + ["demo"] * Path(block.raw).is_relative_to(paths.DEMO) + ["backbone"] * (block.kind == "image")
    middle = [f"{name}@{task}" for name in ("scan", "audit", "split", "preprocess")]
    models = [f"{name}@{model}" for model in block.models for name in ("train", "evaluate")]
    return [*first, *middle, *models, f"select_best@{task}"]


def stages_in(log: Path) -> list[str]:
    """Return the stages that DVC has said it came to, in this order."""
    lines = log.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").splitlines()
    names = [line.split("'")[1] for line in lines if line.startswith(STARTS) and line.count("'") >= 2]
    return list(dict.fromkeys(names))


def durations() -> dict[str, float]:
    """Return how long each stage took last in this workspace, in s."""
    if not TIMINGS.exists():
        return {}
    lines = [json.loads(line) for line in TIMINGS.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    return {f"{line['stage']}@{line['key']}".rstrip("@"): line["seconds"] for line in lines}


def cancel(task: str, batch: str) -> None:
    """Ask the challenge of a batch to end."""
    (folder(task, batch) / "cancel").touch()


def remove_tree(task: str, batch: str) -> None:
    """Delete the copy if it is of this batch."""
    try:
        made_for = json.loads((TREE / "challenge.json").read_bytes())
    except (OSError, ValueError):
        return
    if made_for == {"task": task, "batch": batch}:
        shutil.rmtree(paths.CHALLENGE, ignore_errors=True)
