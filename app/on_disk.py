"""Bundles on disk and the states of their files, watched by the API and the app. Imports only light modules."""

import os
from pathlib import Path

from pipeline.core import paths
from pipeline.core.paths import TaskPaths

SELECTION = "selection.json"
FileState = tuple[int, int, int]  # modification time in ns, size, inode


def bundles() -> dict[str, dict[str, FileState]]:
    """Return {task: {file: state}} of each bundle and of the task's selection.json.

    Bundles without a `.joblib` come first: importing scikit-learn alone takes longer than loading a network's bundle.
    """
    states = {}
    for path in paths.MODELS.glob("*/best/bundle.json"):
        task = path.parent.parent.name
        selection = TaskPaths(task).selection
        states[task] = {entry.name: times(entry) for entry in os.scandir(path.parent) if entry.is_file()}
        if selection.exists():
            states[task][SELECTION] = times(selection)
    return dict(sorted(states.items(), key=lambda item: ("model.joblib" in item[1], item[0])))


def is_being_selected(task: str) -> bool:
    """Return whether `dvc repro` is writing the task's champion: DVC removes a stage's outputs before it runs the stage."""
    try:
        return f'/{TaskPaths(task).best.as_posix()}"' in Path(".dvc/tmp/rwlock").read_text(encoding="utf-8")
    except OSError:  # nothing runs, or there is no DVC
        return False


def times(path: "Path | os.DirEntry[str]") -> FileState:
    """Return the state of a file."""
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
