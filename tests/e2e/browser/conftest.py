"""One Chromium and one app for the files of this folder."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.helpers.browser import app, chromium
from tests.helpers.projects import Project


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A Chromium; the tests are skipped where there is none."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def project(small, tmp_path_factory) -> Project:
    """What the app needs of `small`, to be changed at will."""
    folder = tmp_path_factory.mktemp("app")
    for name in ("app", "pipeline", ".streamlit", "models", "reports", "data"):
        shutil.copytree(small.folder / name, folder / name)
    shutil.copy(small.folder / "params.yaml", folder)
    return Project(folder)


@pytest.fixture(scope="package")
def address(project, browser) -> Iterator[str]:
    """The address of an app that shows the project."""
    with app(project.folder) as (address, _):
        yield address
