"""The command `assay`: from any folder of a project, with the project's own code."""

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from pipeline import __version__, assay, completion
from pipeline.core import artifacts
from tests.helpers.warm_python import warm_python

ROOT = Path(__file__).resolve().parents[1]


def call(folder: Path, *words: str) -> subprocess.CompletedProcess:
    """Run `assay` in a folder, as its installed script does."""
    start = [warm_python(), "-c", "from pipeline.assay import main; main()", *words]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(start, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def project(tmp_path) -> Path:
    """A project with a task that has not run, and the repository's code."""
    for name in ("pipeline", "app"):
        (tmp_path / name).symlink_to(ROOT / name)
    artifacts.write_bytes(
        tmp_path / "params.yaml",
        b"tasks: {mine: {kind: table, raw: t.csv, read: {}, models: [], audit: {}, split: {}, preprocess: {}, select: {}}}\n",
    )
    artifacts.write_bytes(tmp_path / "dvc.yaml", b"stages: {}\n")
    (tmp_path / "deep/er").mkdir(parents=True)
    return tmp_path


def test_help_lists_every_command_with_examples():
    done = call(ROOT, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f"  {name} " in done.stdout for name in assay.COMMANDS)
    assert "assay predict models/skin/best photo.jpg" in done.stdout


@pytest.mark.parametrize(
    "name", [name for name, command in assay.COMMANDS.items() if "streamlit" not in command.starts]
)
def test_each_command_has_help_under_its_name(name):
    done = call(ROOT, name, "--help")
    assert done.returncode == 0, done.stderr
    assert f"usage: assay {name}" in done.stdout


def test_an_unknown_command_is_an_error_with_a_suggestion(project):
    done = call(project, "leaderbord")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "assay: no command 'leaderbord'; did you mean 'leaderboard'?\n"


def test_outside_a_project_it_says_where_to_go(tmp_path):
    done = call(tmp_path, "leaderboard")
    assert done.returncode == 2
    assert "go to your project first" in done.stderr


def test_it_works_from_a_folder_within(project):
    done = call(project / "deep/er", "leaderboard", "mine")
    assert (done.returncode, done.stdout) == (0, "mine: not run yet: assay run mine\n\n")


def test_paths_are_those_of_the_folder_it_is_called_in(project):
    shutil.copy(ROOT / "docs/audit.png", project / "deep/er/own.png")
    done = call(project / "deep/er", "audit", ".", "--json")
    assert done.returncode == 0, done.stderr
    assert '"n_files": 1' in done.stdout


@pytest.mark.parametrize("name", ["run", "leaderboard"])
def test_an_unknown_task_is_an_error_that_names_the_others(project, name):
    done = call(project, name, "skin")
    assert done.returncode == 2
    assert done.stderr.startswith("ParamsError: params.yaml has no task 'skin'; it has: mine")


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_has_commands_options_and_files(shell, capsys):
    completion.main(shell)
    script = capsys.readouterr().out
    assert all(name in script for name in assay.COMMANDS)
    if shell != "tcsh":
        assert "--label-map" in script
        assert "files" in script


def test_version_and_licence_stand_once_in_each_place():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    assert citation["license"] == project["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert all((ROOT / name).exists() for name in project["license-files"])
