"""The small graph of the end-to-end tests, for soak tests that change a clone of it; a project of real photos; a Dask cluster."""

from collections.abc import Callable
from pathlib import Path

import pytest

from soak.real_data import copy_rows
from tests.e2e.conftest import clone, first_clone, small  # noqa: F401 - fixtures
from tests.helpers.clusters import cluster, here, kept  # noqa: F401 - fixtures
from tests.helpers.projects import Project, new_project


@pytest.fixture
def skin_project(tmp_path: Path) -> Callable[[list[dict[str, str]]], Project]:
    """A function that returns a project whose task `skin` has the photos of some rows of skin_binary."""

    def make(rows: list[dict[str, str]]) -> Project:
        project, raw = new_project(tmp_path / "project"), tmp_path / "skin"
        copy_rows(rows, raw)
        project.run("python", "-m", "pipeline.init_task", "skin", str(raw), "--label", "label", "--group", "group")
        return project

    return make
