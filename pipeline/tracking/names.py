"""Names of a task's experiments and registered model in MLflow.

In the project's own store they have the task's name. On a server that several projects or branches share, a prefix stands before
it, so that none touches the champion of another.
"""

import re
import subprocess
from pathlib import PurePosixPath

from pipeline.core import copies, params
from pipeline.core.params_models import MlflowParams
from pipeline.tracking import mlflow_store

UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")  # in a prefix


def of_task(task: str) -> str:
    """Return the name of a task's experiment and registered model. No task's name has a dot: prefixes cannot be mixed up."""
    before = prefix()
    return f"{before}.{task}" if before else task


def of_decisions(task: str) -> str:
    """Return the name of the experiment that holds a task's decisions: the task's own holds models alone."""
    return f"{of_task(task)} decisions"


def prefix() -> str:
    """Return `mlflow.prefix` of params.yaml; without it the repository's name on a server, and nothing in the own store."""
    given = params.parse(MlflowParams, params.load().get("mlflow") or {}, "mlflow").prefix
    if given is not None:
        return given
    return repository() if mlflow_store.server() else ""


def repository() -> str:
    """Return the name of the repository as its remote has it, else of the project's folder, in letters that MLflow takes."""
    try:
        command = ["git", "-C", str(copies.home()), "remote", "get-url", "origin"]
        remote = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        remote = ""
    name = PurePosixPath(remote.replace("\\", "/").replace(":", "/")).name.removesuffix(".git")
    return UNFIT.sub("-", name or copies.home().name).strip(".-_") or "assay"
