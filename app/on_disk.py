"""Which champions are on disk, by the times of their files: what the API and the app both watch. It imports little."""

import os
from typing import Any

from pipeline.core import paths
from pipeline.core.paths import TaskPaths

SELECTION = "selection.json"


def found() -> dict[str, dict[str, tuple]]:
    """Return {task: {file: what tells its versions apart}} of each bundle and of the report that vouches for it.

    Bundles without a `.joblib` come first: scikit-learn's import alone takes longer than all of a network's bundle.
    """
    states = {}
    for path in paths.MODELS.glob("*/best/bundle.json"):
        task = path.parent.parent.name
        selection = TaskPaths(task).selection
        states[task] = {entry.name: times(entry) for entry in os.scandir(path.parent) if entry.is_file()}
        if selection.exists():
            states[task][SELECTION] = times(selection)
    return dict(sorted(states.items(), key=lambda item: ("model.joblib" in item[1], item[0])))


def times(path: Any) -> tuple[int, int, int]:
    """Return a file's time of change, size and inode."""
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
