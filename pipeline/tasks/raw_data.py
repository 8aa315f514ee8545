"""Validate the path of a task's raw data: DVC and the scan must be able to read it, and no stage may write there."""

import os
from pathlib import Path

import yaml

from pipeline.core import artifacts, params, paths
from pipeline.core.artifacts import JSON
from pipeline.core.errors import ParamsError
from pipeline.core.params_models import TaskParams
from pipeline.core.paths import TaskPaths
from pipeline.data.folders import archives


def check_location(name: str, raw: str, tasks: JSON, section: str = "tasks") -> None:
    """Raise ParamsError if raw data are inside a folder that stages delete, or around one, which would change with every run."""
    absolute = Path(os.path.abspath(raw))
    for folder in (folder for task in tasks for folder in TaskPaths(task).folders):
        written = folder.absolute()
        if absolute.is_relative_to(written) or written.is_relative_to(absolute):
            where, advice = f"params.yaml: {section}.{name}.raw", f"put the raw data in data/raw/{name}, say"
            raise ParamsError(f"{where}: stages write to {folder.as_posix()}; {advice}")


def check(name: str, task: TaskParams) -> list[str]:
    """Return warnings about a task's raw data; raise ParamsError if DVC or the scan cannot read them.

    The demo data may not be there yet. A clone that pulls results may not have the raw data at all: if dvc.lock has a scan of
    them, that is only a warning.
    """
    where, raw = f"params.yaml: tasks.{name}.raw", Path(task.raw)
    if raw.is_relative_to(paths.DEMO):
        return []
    if not raw.exists():
        message = f"{where}: {task.raw!r} does not exist; put the data there or correct the path"
        if scanned(name, task.raw):
            return [message]
        raise ParamsError(message)
    if (raw.is_dir() or archives.is_archive(raw)) != (task.kind == "image"):
        expected = "a folder of images" if task.kind == "image" else "a CSV file"
        raise ParamsError(f"{where}: {task.raw!r}: expected {expected} for a task of kind {task.kind}")
    for key in ("csv", "valid_csv", "test_csv") if raw.is_dir() else ():
        csv = getattr(task.read, key)
        if csv and not (raw / csv).is_file():
            raise ParamsError(f"params.yaml: tasks.{name}.read.{key}: there is no file {csv!r} in {task.raw}")
    return check_links(raw, where) if task.kind == "image" else []


def check_links(raw: Path, where: str) -> list[str]:
    """Return a warning about linked folders, which DVC ignores; raise ParamsError for what it cannot hash or would wait for."""
    links = []
    for folder, subfolders, files in os.walk(raw):
        links += [Path(folder, name).as_posix() for name in subfolders if Path(folder, name).is_symlink()]
        for path in (Path(folder, name) for name in files):
            if not path.is_file():
                what = "is a broken link" if path.is_symlink() else "is not a regular file"
                raise ParamsError(f"{where}: {path.as_posix()} {what}: DVC cannot read it; delete it")
    if not links:
        return []
    shown = ", ".join(links[:3]) + (f" and {len(links) - 3} more" if len(links) > 3 else "")
    return [f"{where}: DVC does not follow links to folders: a change in {shown} goes unnoticed; use real folders"]


def scanned(name: str, raw: str) -> bool:
    """Return whether dvc.lock says that the task was scanned with these raw data."""
    lock = Path("dvc.lock")
    if not lock.exists():
        return False
    stages = yaml.load(artifacts.read_text(lock), params.LOADER).get("stages", {})
    return raw in [dep["path"] for dep in stages.get(f"scan@{name}", {}).get("deps", [])]
