"""Copies of the project with a small graph: about 80 drawn images, 2 folds, an untrained backbone, nothing downloaded."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.helpers import warm_python

ROOT = Path(__file__).resolve().parents[2]
COPIED = (
    "pipeline",
    "app",
    ".streamlit",
    ".dvc/config",
    ".dvcignore",
    ".gitignore",
    "dvc.yaml",
    "params.yaml",
    "data",
    "models",
)


def environment() -> dict[str, str]:
    """Return this process' environment with this Python's programs first on the path, without what steers DVC and MLflow."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DVC_", "MLFLOW_", "ASSAY_DASK"))}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@dataclass(frozen=True)
class Project:
    """A workspace in `folder`; its commands are `warm` (see warm_python.py), or start as a user's do."""

    folder: Path
    warm: bool = False

    def environment(self) -> dict[str, str]:
        """Return the environment of its commands."""
        env = environment()
        return env | {"PATH": f"{warm_python.programs()}{os.pathsep}{env['PATH']}"} if self.warm else env

    def run(self, *command: str, ok: bool = True, timeout: float = 400, **env: str) -> subprocess.CompletedProcess:
        """Run a command in the workspace; fail the test if it fails, or takes over `timeout` seconds."""
        given = {"cwd": self.folder, "env": self.environment() | env, "timeout": timeout}
        done = subprocess.run(command, capture_output=True, text=True, **given)
        assert not ok or done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done

    def repro(self, *arguments: str) -> list[str]:
        """Run `dvc repro` and return the names of the stages that ran."""
        return ran(self.run("dvc", "repro", *arguments).stdout)

    def params(self) -> dict:
        """Return params.yaml."""
        return yaml.safe_load((self.folder / "params.yaml").read_text(encoding="utf-8"))

    def change(self, **changes: object) -> None:
        """Set values in params.yaml by their dotted path, with __ for the dots' sake: models__x__C=1."""
        content = self.params()
        for path, value in changes.items():
            *parents, last = path.split("__")
            block = content
            for parent in parents:
                block = block[parent]
            block[last] = value
        (self.folder / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

    def forget(self, *tasks: str) -> None:
        """Leave tasks out of dvc.lock, all of which DVC reads and writes for each stage that it runs: a third of a second."""
        lock = yaml.safe_load(self.read("dvc.lock"))
        of_tasks = tuple(f"@{task}" for task in tasks)
        lock["stages"] = {
            name: stage for name, stage in lock["stages"].items() if not any(of in name for of in of_tasks)
        }
        (self.folder / "dvc.lock").write_text(yaml.safe_dump(lock, sort_keys=False), encoding="utf-8")

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""
        return (self.folder / path).read_bytes()


def ran(message: str) -> list[str]:
    """Return the names of the stages that ran, by what DVC said."""
    return re.findall(r"^Running stage '(.+)':", message, re.MULTILINE)


def tracked(folder: Path) -> None:
    """Copy into `folder` what a clone would hold: no outputs, no environment."""
    for name in COPIED:
        source, target = ROOT / name, folder / name
        if name in ("data", "models"):
            target.mkdir(parents=True)
            shutil.copy(source / "README.md", target)
            for file in source.glob("uploads/*/included.csv"):
                (target / file.relative_to(source)).parent.mkdir(parents=True)
                shutil.copy(file, target / file.relative_to(source))
        elif source.is_dir():
            shutil.copytree(source, target)  # with what Python has compiled
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)


def new_project(folder: Path, small: bool = False, warm: bool = False) -> Project:
    """Return a project in `folder` as a clone would be, `small` or whole, in a git repository with one commit."""
    tracked(folder)
    project = Project(folder, warm)
    if small:
        make_small(project)
    start_git(project)
    return project


def make_small(project: Project) -> None:
    """Shrink the graph of the shipped params.yaml; the models that go are run by unit tests."""
    content = project.params()
    content["demo"]["lesions"] = 45
    content["backbone"]["source"] = "random"
    for task in content["tasks"].values():
        task["split"] |= {"folds": 2, "min_test_per_class": 2}
        task["select"]["draws"] = 100
        task["models"] = [name for name in task["models"] if name.endswith(("mobilenetv2", "logreg", "knn"))]
    kept = [name for task in content["tasks"].values() for name in task["models"]]
    content["models"] = {name: content["models"][name] for name in kept}
    content["models"]["lesions-mobilenetv2"]["epochs"] = 3
    content["tasks"]["lesions"]["select"]["site"] = "sex"  # fewer values than `site`: each costs a fit of each model
    (project.folder / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def start_git(project: Project) -> None:
    """Make the workspace a git repository with one commit."""
    project.run("git", "init", "--quiet", "--initial-branch=main")
    project.run("git", "config", "user.name", "Test")
    project.run("git", "config", "user.email", "test@example.org")
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", "start")


def cloned(origin: Project, folder: Path) -> Project:
    """Return a clone of a project that shares its DVC cache, with all outputs checked out."""
    names = ("--config", "user.name=Test", "--config", "user.email=test@example.org")
    subprocess.run(["git", "clone", "--quiet", *names, str(origin.folder), str(folder)], check=True)
    # With what Python has compiled
    shutil.copytree(origin.folder / "pipeline", folder / "pipeline", dirs_exist_ok=True)
    (folder / ".dvc/config.local").write_text(f"[cache]\n    dir = {origin.folder}/.dvc/cache\n")
    project = Project(folder, warm=origin.warm)
    project.run("dvc", "checkout", "--quiet")
    return project
