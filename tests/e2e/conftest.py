"""The small graph, run once, and clones of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.helpers.browser import chromium
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


@pytest.fixture
def clone(small: Project, tmp_path: Path) -> Project:
    """A clone of `small` that shares its DVC cache, with all outputs checked out: what a test may change."""
    return cloned(small, tmp_path / "clone")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium, for the tests of one file; they are skipped where there is none."""
    with chromium() as browser:
        yield browser
