"""Remove a task: its blocks in params.yaml, the outputs of its stages, its part of dvc.lock and of the MLflow store.

Raw data, uploads, monitoring counts and files in `data/<task>` that no stage wrote are never deleted.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import yaml

from pipeline.core import artifacts, params, paths, yaml_edit
from pipeline.core.errors import DataError, ParamsError
from pipeline.core.paths import TaskPaths
from pipeline.data import uploads
from pipeline.tasks.validate import similar
from pipeline.tracking import mlflow_store

GRAPH, LOCK = Path("dvc.yaml"), Path("dvc.lock")
Line = tuple[str, str]


def remove(name: str) -> list[Line]:
    """Remove the task and return lines of (what happened, to what); safe to run again after an interruption.

    Raises ParamsError if there is no such task, DataError if raw data are in a folder that would be deleted.
    """
    tasks = params.load().get("tasks") or {}
    if name not in tasks:
        raise ParamsError(f"params.yaml has no task {name!r}{similar(name, tasks)}")
    models = {key for key, block in (params.load().get("models") or {}).items() if (block or {}).get("task") == name}
    text = params.PARAMS.read_bytes().decode()
    text = yaml_edit.remove(yaml_edit.remove(text, "models", models), "tasks", {name})
    elsewhere = {
        key for key, block in (params.load().get("external") or {}).items() if (block or {}).get("task") == name
    }
    if elsewhere:
        text = yaml_edit.remove(text, "external", elsewhere)
    folders = TaskPaths(name).folders
    refuse_raw(folders, tasks)
    deleted = [path.as_posix() for path in delete(folders, outputs(name, models))]
    counts = TaskPaths(name).monitor
    kept = [path.as_posix() for path in folders if path.exists()]
    lines = [
        ("removed", "\n".join(deleted)),
        ("removed", forget_stages(name)),
        ("removed", forget_experiment(name)),
        ("left alone", "\n".join(f"{path}: holds files that no stage wrote" for path in kept)),
        ("left alone", keep_uploads(name)),
        ("left alone", f"{counts.as_posix()}: monitoring counts of its champions" if counts.is_dir() else ""),
        ("left alone", f"{tasks[name].get('raw')}: the raw data"),
    ]
    artifacts.write_bytes(params.PARAMS, text.encode())  # last, so that an interrupted removal can be run again
    return [("removed", f"params.yaml: the task {name!r} and {len(models)} models"), *lines]


def keep_uploads(name: str) -> str:
    """Delete an included.csv without rows and the folders left empty; return what is left alone otherwise."""
    folder = TaskPaths(name).uploads
    if not folder.is_dir():
        return ""
    if not uploads.read(name):
        TaskPaths(name).included.unlink(missing_ok=True)
    if any(folder.iterdir()):
        return f"{folder.as_posix()}: submitted samples"
    folder.rmdir()
    if not any(paths.UPLOADS.iterdir()):
        paths.UPLOADS.rmdir()
    return ""


def refuse_raw(folders: Iterable[Path], tasks: dict) -> None:
    """Raise DataError if any task's raw data are in one of the folders."""
    for other, block in tasks.items():
        raw = Path(os.path.abspath(str((block or {}).get("raw"))))
        for folder in folders:
            if raw.is_relative_to(folder.absolute()):
                raise DataError(f"{folder.as_posix()} holds the raw data of {other}: move them out first")


def outputs(name: str, models: set[str]) -> set[Path]:
    """Return the outputs of this task's stages in dvc.yaml."""
    keys = {"${tasks}": {name}, "${models}": models}
    paths_written = set()
    for stage in yaml.safe_load(GRAPH.read_text(encoding="utf-8"))["stages"].values():
        for key in keys.get(stage.get("foreach"), ()):
            for out in (out for kind in ("outs", "metrics", "plots") for out in stage["do"].get(kind, [])):
                path = out if isinstance(out, str) else next(iter(out))
                paths_written.add(Path(path.replace("${key}", key).replace("${item.task}", name)))
    return paths_written


def delete(folders: Iterable[Path], written: set[Path]) -> list[Path]:
    """Delete what stages wrote and the folders left empty; return the paths that existed.

    models/<task> and reports/<task> are deleted completely: models removed from params.yaml earlier left files there.
    """
    data, *whole = folders
    gone = [path for path in sorted({*written, *whole}) if path.exists() or path.is_symlink()]
    for path in gone:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if data.is_dir():
        (data / ".gitignore").unlink(missing_ok=True)  # DVC's list of its outputs
        for part in data.glob(".*.part"):
            part.unlink()
        if not any(data.iterdir()):
            data.unlink() if data.is_symlink() else data.rmdir()
    return [path for path in gone if not any(path != other and path.is_relative_to(other) for other in gone)]


def forget_stages(name: str) -> str:
    """Remove the task's stages from dvc.lock, those of earlier models too; return a line about them."""
    if not LOCK.exists():
        return ""
    text = LOCK.read_bytes().decode()
    artifacts.refuse_conflict(LOCK, text)
    stages = (yaml.load(text, params.LOADER) or {}).get("stages") or {}
    ours = {key for key, stage in stages.items() if any(is_of(out["path"], name) for out in stage.get("outs", []))}
    if not ours:
        return ""
    artifacts.write_bytes(LOCK, yaml_edit.remove(text, "stages", ours).encode())
    return f"dvc.lock: {len(ours)} stages (their outputs stay in DVC's cache until: dvc gc --workspace)"


def is_of(path: str, name: str) -> bool:
    """Return whether an output is in one of the task's folders."""
    return path.split("/")[:2] in (["data", name], ["models", name], ["reports", name])


def forget_experiment(name: str) -> str:
    """Remove the task from the project's own MLflow store; a server keeps its records."""
    if mlflow_store.server() or not (mlflow_store.folder() / "mlflow.db").exists():
        return ""
    from pipeline.tracking import mirror  # mlflow takes two seconds to import

    return "mlflow: its runs and its registered model" if mirror.forget(name) else ""
