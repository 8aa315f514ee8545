"""Run a batch in a sandbox: a copy of the project with the batch included, which shares the workspace's DVC cache.

The workspace is neither changed nor locked.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

from pipeline.core import artifacts, params, paths
from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths
from pipeline.data import upload_ledger, uploads
from pipeline.data.uploads import Included
from pipeline.retraining import dvc_runs

TREE = paths.CHALLENGE / "tree"
# What is copied where there is no git that says what belongs to the project
KNOWN = ("pipeline", "app", ".streamlit", ".dvc/config", ".dvcignore", "dvc.yaml", "dvc.lock", "params.yaml", "reports")


def rows_of(task: str, batch: str) -> list[Included]:
    """Return a batch's samples as rows of included.csv, sorted by hash; raise DataError where it has none."""
    lines = upload_ledger.samples(task, batch)
    if not lines:
        have = ", ".join(sorted({line.batch for line in upload_ledger.samples(task)})) or "none"
        raise DataError(f"task {task} has no batch {batch!r}; it has: {have}")
    rows = [Included(line.id, line.label, line.group, batch) for line in lines]
    return sorted(rows, key=lambda row: row.hash)


def prepare(task: str, batch: str) -> None:
    """Copy the project to the scratch folder, with the batch included there."""
    root = Path.cwd()
    shutil.rmtree(paths.CHALLENGE, ignore_errors=True)
    for name in project_files():
        if (root / name).is_file():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, TREE / name)
    local = f"[core]\n    no_scm = true\n[cache]\n    dir = {dvc_runs.cache_folder()}\n"
    artifacts.write_bytes(TREE / ".dvc/config.local", local.encode())
    raw = Path(params.task(task).raw)
    if not raw.is_absolute() and not raw.is_relative_to(paths.DEMO):
        link(raw)
    if TaskPaths(task).split.exists():  # by which no sample changes its side
        target = TaskPaths(task, TREE).split
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(TaskPaths(task).split, target)
    for shared in (
        paths.FEATURES,
        paths.UNPACKED,
        paths.SALT,
        *(TaskPaths(task).uploads / kind for kind, _ in uploads.FOLDERS.values()),
    ):
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
        files = [path for name in KNOWN for path in ([Path(name)] if Path(name).is_file() else Path(name).rglob("*"))]
        files += paths.UPLOADS.glob("*/included.csv")
        return [path.as_posix() for path in files if path.is_file() and "__pycache__" not in path.parts]


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


def remove_tree(task: str, batch: str) -> None:
    """Delete the copy if it is of this batch."""
    try:
        made_for = json.loads((TREE / "challenge.json").read_bytes())
    except (OSError, ValueError):
        return
    if made_for == {"task": task, "batch": batch}:
        shutil.rmtree(paths.CHALLENGE, ignore_errors=True)
