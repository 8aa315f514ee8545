"""Projects with champions, servers on them, and pages that start afresh."""

import contextlib
import functools
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit import config
from streamlit.components.v2 import manifest_scanner

from pipeline.prediction.predictor import Predictor
from tests.helpers.serving import Client, make_project, running
from tests.helpers.shared import project_once

# Streamlit's tester reads the metadata of all installed packages for each page: half a second, four fifths of a page's time
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)


@pytest.fixture(scope="session")
def champions_project(tmp_path_factory: pytest.TempPathFactory, program: Path) -> Path:
    """A project with three champions, made once: copy it to change it."""
    return project_once(tmp_path_factory, "champions", lambda: make_project(program))


@pytest.fixture
def project(champions_project: Path, work_in_copy: Callable[[Path], Path]) -> Path:
    """A copy of it as the current folder."""
    return work_in_copy(champions_project)


@pytest.fixture
def served_table(scored: Path, work_in_copy: Callable[[Path], Path]) -> Path:
    """A copy of the scored project of the table task t as the current folder."""
    return work_in_copy(scored)


@pytest.fixture(scope="module")
def server(champions_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A server on a copy of it, which is the current folder."""
    folder = shutil.copytree(champions_project, tmp_path_factory.mktemp("served"), dirs_exist_ok=True)
    with contextlib.chdir(folder), running() as client:
        yield client


@pytest.fixture
def skin(server: Client) -> Predictor:
    """The Predictor of the image task `skin`."""
    return Predictor("models/skin/best")


@pytest.fixture
def fresh_app(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An app on this machine, without keys, that has seen nothing."""
    monkeypatch.delenv("ASSAY_API_KEYS", raising=False)
    monkeypatch.setattr(sys, "argv", ["app/shell.py"])
    config.set_option("server.address", "127.0.0.1")  # as in .streamlit/config.toml, which no temporary folder has
    st.cache_resource.clear()
    yield
    config.set_option("server.address", "127.0.0.1")
    st.cache_resource.clear()


@pytest.fixture(scope="session")
def upload_projects(split_task: Path, champions_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of the image task `skin`, split, with champions."""

    def make() -> None:
        for made in (split_task, champions_project):
            shutil.copytree(made, ".", dirs_exist_ok=True)

    return project_once(tmp_path_factory, "uploads", make)


@pytest.fixture
def upload_project(
    upload_projects: Path, work_in_copy: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch, fresh_app: None
) -> Path:
    """A copy of it as the current folder, which shares its store of features."""
    monkeypatch.setenv("DVC_ROOT", str(upload_projects))
    return work_in_copy(upload_projects)
