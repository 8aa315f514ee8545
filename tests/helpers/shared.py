"""What is made once for all workers of a test session."""

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def project_once(factory: pytest.TempPathFactory, name: str, make: Callable[[], object]) -> Path:
    """Return the folder `name`, in which `make` has run once for all workers as in the current folder: copy it to change it."""

    def run(folder: Path) -> None:
        with contextlib.chdir(folder):
            make()

    return made_once(factory.getbasetemp(), name, run)


def made_once(session: Path, name: str, make: Callable[[Path], object]) -> Path:
    """Return the folder `name` next to the `session` folders of all workers; the first one that needs it has it made."""
    folder = (session.parent if "PYTEST_XDIST_WORKER" in os.environ else session) / name
    made = folder.with_suffix(".made")
    with FileLock(folder.with_suffix(".lock")):
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)  # what a worker left that failed
            folder.mkdir()
            make(folder)
            made.touch()
    return folder
