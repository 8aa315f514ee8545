"""The small graph, run once, and clones of it."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser

from tests.browser import chromium
from tests.clusters import cluster, here, kept  # noqa: F401 - fixtures
from tests.projects import Project, make_small, start_git, tracked


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Project:
    """A workspace in which `dvc repro` has run once and its results are committed. Tests must leave it as it is.

    Workers share it: the first one that needs it makes it.
    """
    base = tmp_path_factory.getbasetemp()
    project = Project((base if worker_id == "master" else base.parent) / "small")
    made = project.folder.with_suffix(".made")
    with FileLock(project.folder.with_suffix(".lock")):
        if not made.exists():
            run_small(project)
            made.touch()
    return project


def run_small(project: Project) -> None:
    """Make the workspace and run its graph."""
    shutil.rmtree(project.folder, ignore_errors=True)  # what a worker left that failed
    tracked(project.folder)
    make_small(project)
    start_git(project)
    project.repro()
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", "run")


@pytest.fixture
def clone(small: Project, tmp_path: Path) -> Project:
    """A clone of `small` that shares its DVC cache, with all outputs checked out: what a test may change."""
    project = Project(tmp_path / "clone")
    subprocess.run(["git", "clone", "--quiet", str(small.folder), str(project.folder)], check=True)
    project.run("git", "config", "user.name", "Test")
    project.run("git", "config", "user.email", "test@example.org")
    project.run("dvc", "config", "--local", "cache.dir", str(small.folder / ".dvc" / "cache"))
    project.run("dvc", "checkout", "--quiet", ok=False)  # what is not cached (the MLflow marker) has to be made again
    return project


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium, for the tests of one file; they are skipped where there is none."""
    with chromium() as browser:
        yield browser
