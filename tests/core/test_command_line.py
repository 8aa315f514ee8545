"""Paths of the command line, and the name that a command is called by."""

from pathlib import Path

import pytest

from pipeline.core import command_line


@pytest.fixture
def called_from_within(tmp_path, monkeypatch) -> Path:
    """A project as the current folder, in whose folder `within` assay was called."""
    (tmp_path / "within").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(command_line.CALLED_FROM, str(tmp_path / "within"))
    return tmp_path


@pytest.mark.parametrize(
    ("there", "expected"), [(["within/a"], "within/a"), (["a"], "a"), (["a", "within/a"], "within/a"), ([], "within/a")]
)
def test_a_path_is_looked_for_in_the_callers_folder_first(called_from_within, there, expected):
    for name in there:
        Path(name).touch()
    assert command_line.path("a") == expected


def test_without_assay_a_path_is_left_as_it_is(monkeypatch):
    monkeypatch.delenv(command_line.CALLED_FROM, raising=False)
    assert command_line.path("./a//b") == "./a//b"


def test_usage_and_examples_have_the_name_it_is_called_by(monkeypatch):
    assert "python -m pipeline.audit x\n" in command_line.parser("pipeline.audit", "Find.", "x").format_help()
    monkeypatch.setenv(command_line.CALLED_AS, "assay audit")
    text = command_line.parser("pipeline.audit", "Find.", "", "x").format_help()
    assert text.startswith("usage: assay audit ")
    assert text.endswith("examples:\n  assay audit\n  assay audit x\n")


def test_a_user_without_a_name_is_called_by_number(monkeypatch):
    def unknown():
        raise KeyError("getpwuid(): uid not found: 12345")

    assert command_line.user()
    monkeypatch.setattr("getpass.getuser", unknown)
    assert command_line.user().startswith("uid ")
