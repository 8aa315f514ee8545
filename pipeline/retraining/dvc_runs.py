"""Run DVC at low priority: in the workspace, or in the sandbox with its progress.

DVC documents `dvc.api` alone for Python, which neither runs a graph nor reports its status (treeverse/dvc#5050), so its commands
are run, and the stages that `dvc repro` has reached are read from its log.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import yaml

from pipeline.core import dvc_program, lock_recovery, params, paths
from pipeline.core.stage import durations
from pipeline.retraining import batch_status
from pipeline.retraining.batch_status import RetrainError

NICE = 10
POLL = 0.3  # s between two readings of the log
DVC = dvc_program.command(NICE)
WAIT = "--wait-for-lock"  # of another DVC in the same workspace
STARTS = ("Running stage '", "Stage '")  # of the lines in which DVC names the stage it has reached


def environment() -> dict[str, str]:
    """Return this process' environment without what steers DVC."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DVC_")}


def run(*arguments: str) -> subprocess.CompletedProcess:
    """Run a DVC command in the workspace, after what a killed one left half written is set aside.

    It waits for the lock of another DVC. That one waits for three seconds only: what merely asks runs at full priority.
    """
    for line in lock_recovery.recover():
        print(line, file=sys.stderr)
    program = DVC if arguments[0] == "repro" else (sys.executable, "-m", "dvc")
    return subprocess.run([*program, WAIT, *arguments], env=environment(), capture_output=True, text=True)


def cache_folder() -> str:
    """Return the absolute path of the workspace's DVC cache; raise RetrainError where there is no DVC workspace."""
    done = subprocess.run(
        [sys.executable, "-m", "dvc", WAIT, "cache", "dir"], capture_output=True, text=True, env=environment()
    )
    if done.returncode:
        raise RetrainError(f"this is no DVC workspace: {done.stderr.strip()}")
    return os.path.abspath(done.stdout.strip())


def bring_up_to_date(task: str, batch: str, state: str) -> tuple[int, str]:
    """Run the whole graph in the workspace, with its progress in the batch's status; return exit code and last lines."""
    for line in lock_recovery.recover():
        print(line, file=sys.stderr)
    log = batch_status.folder(task, batch) / "log.txt"
    with log.open("wb") as out:
        # A stage of another task that fails, as the network's where there is no internet, does not keep this one back
        command = [*DVC, WAIT, "repro", "--keep-going"]
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment()
        )
        try:
            while process.poll() is None:
                write_progress(task, batch, log, state, known_stages())
                time.sleep(POLL)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    return process.returncode, " ".join(" ".join(lines_of(log)[-3:]).split())


def known_stages() -> list[str]:
    """Return the names of the stages that dvc.lock holds, none where there is none."""
    try:
        return list((yaml.safe_load(Path("dvc.lock").read_text(encoding="utf-8")) or {}).get("stages", {}))
    except (OSError, yaml.YAMLError):  # DVC is writing it
        return []


def run_graph(task: str, batch: str, tree: Path) -> None:
    """Run the graph in `tree` up to the task's champion; raise RetrainError where it fails or is cancelled."""
    log = batch_status.folder(task, batch) / "log.txt"
    command = [*DVC, "repro", f"select_best@{task}"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=tree, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment()
        )
        try:
            watch(process, task, batch, log)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode:
        errors = [line for line in lines_of(log) if "Error: " in line or line.startswith("ERROR: ")]
        raise RetrainError(f"the graph failed: {errors[0] if errors else 'see the log'} ({log.as_posix()})")


def watch(process: subprocess.Popen, task: str, batch: str, log: Path) -> None:
    """Write the batch's status until the process ends; raise RetrainError where the challenge is cancelled."""
    stages = stages_of(task)
    while process.poll() is None:
        write_progress(task, batch, log, "running", stages)
        if (log.parent / "cancel").exists():
            raise RetrainError("cancelled")
        time.sleep(POLL)


def write_progress(task: str, batch: str, log: Path, state: str, stages: list[str]) -> None:
    """Write how far DVC is into the batch's status, where it is farther than what is written there."""
    reached, seconds = stages_in(log), durations()
    left = sum(seconds.get(stage, 1) + 0.5 for stage in stages if stage not in reached[:-1])
    progress = {"stage": reached[-1] if reached else "", "done": max(len(reached) - 1, 0), "total": len(stages)}
    last = batch_status.last_written(task, batch)
    if (last.state, last.stage, last.done) != (state, progress["stage"], progress["done"]):
        batch_status.write(task, batch, state, **progress, seconds_left=round(left))


def stages_of(task: str) -> list[str]:
    """Return the names of the stages that lead to the task's champion."""
    block = params.task(task)
    first = ["check"] + ["demo"] * Path(block.raw).is_relative_to(paths.DEMO) + ["backbone"] * (block.kind == "image")
    middle = [f"{name}@{task}" for name in ("scan", "audit", "split", "preprocess")]
    models = [f"train@{model}" for model in block.models]
    return [*first, *middle, *models, f"evaluate@{task}", f"select_best@{task}"]


def lines_of(log: Path) -> list[str]:
    """Return the lines of a log, those that a progress bar overwrote included."""
    return log.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").splitlines()


def stages_in(log: Path) -> list[str]:
    """Return the stages that DVC has reached, in order."""
    names = [line.split("'")[1] for line in lines_of(log) if line.startswith(STARTS) and line.count("'") >= 2]
    return list(dict.fromkeys(names))
