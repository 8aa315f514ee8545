"""The small graph, run once, and clones of it."""

import shutil
from pathlib import Path

import pytest

from tests.helpers.clusters import cluster, here, kept  # noqa: F401 - fixtures
from tests.helpers.projects import Project, cloned, new_project
from tests.helpers.shared import made_once


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A workspace in which `dvc repro` has run once and its results are committed. Tests must leave it as it is."""
    return Project(made_once(tmp_path_factory.getbasetemp(), "small", run_small), warm=True)


def run_small(folder: Path) -> None:
    """Make the workspace and run its graph. In soak/test_kill.py each stage starts as a user's does; here that costs a minute."""
    project = new_project(folder, small=True, warm=True)
    project.repro()
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", "run")


@pytest.fixture(scope="session")
def first_clone(small: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of `small` that shares its DVC cache, with all outputs checked out, made once."""
    return made_once(tmp_path_factory.getbasetemp(), "first_clone", lambda folder: cloned(small, folder))


@pytest.fixture
def clone(first_clone: Path, tmp_path: Path) -> Project:
    """A copy of that clone: what a test may change."""
    return Project(shutil.copytree(first_clone, tmp_path / "clone", symlinks=True), warm=True)
