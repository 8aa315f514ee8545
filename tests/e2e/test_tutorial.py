"""The tutorials, the README and the pages on prediction, followed to the letter in a small project."""

import json
import os
import shlex
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from docs import notebook
from tests.helpers.projects import Project, environment
from tests.helpers.warm_python import programs
from tests.test_docs import ROOT, commands

SERVERS = {"app", "api", "ui", "doctor"}  # which do not end, or say what this machine lacks
ASSAY = ("python", "-c", "from pipeline.assay import main; main()")


def that_end(page: str) -> list[list[str]]:
    """Return the commands of a page that are no servers."""
    return [line for line in commands(ROOT / page) if line[1] not in SERVERS]


def test_the_tutorial_on_a_table_runs(clone):
    clone.forget("lesions", "breast")
    lines = that_end("docs/tutorial/table.md")
    assert len(lines) >= 4
    for line in lines:
        if line[1] == "run":
            shorten(clone, "tumours", "logreg", "dummy")
        assert clone.run(*ASSAY, *line[1:]).stdout, shlex.join(line)
    assert "tumours-" in clone.run(*ASSAY, "leaderboard", "tumours").stdout
    assert Path(clone.folder, "models/tumours/best/bundle.json").exists()


def test_the_notebook_of_the_tutorial_on_images_runs(clone, tmp_path, monkeypatch):
    assert notebook.NOTEBOOK.read_text(encoding="utf-8") == notebook.notebook(), "run: python -m docs.notebook"
    command = tmp_path / "bin/assay"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.join(ASSAY)} "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(command.parent), programs(), environment()["PATH"]]))
    folder = clone.folder / "docs/tutorial"
    folder.mkdir(parents=True)
    clone.forget("lesions", "breast")
    content = nbformat.read(notebook.NOTEBOOK, as_version=4)
    client = NotebookClient(content, timeout=400, resources={"metadata": {"path": str(folder)}})
    client.on_cell_start = lambda cell, **_: "assay run" in cell.source and shorten(clone, "mine", "logreg", "dummy")
    done = client.execute()
    code = [cell for cell in done.cells if cell.cell_type == "code"]
    ran = [line for cell in code for line in cell.source.splitlines() if line.startswith("assay ")]
    assert [shlex.split(line) for line in ran] == that_end("docs/tutorial/images.md")
    assert "mine-" in json.dumps(done.cells), "the leaderboard is shown"
    assert Path(clone.folder, "models/mine/best/bundle.json").exists()


def shorten(clone: Project, task: str, *estimators: str) -> None:
    """Leave a task these models alone, in three folds: the others are run by unit tests."""
    kept = [f"{task}-{name}" for name in estimators]
    models = {name: model for name, model in clone.params()["models"].items() if model["task"] != task or name in kept}
    clone.change(models=models, **{f"tasks__{task}__models": kept})
    clone.change(**{f"tasks__{task}__select__draws": 100, f"tasks__{task}__split__folds": 3})


def test_the_readme_has_the_commands_of_the_tutorial():
    assert len(that_end("README.md")) == 3
    assert [line for line in that_end("README.md") if line not in that_end("docs/tutorial/images.md")] == []


def test_commands_on_prediction_answer_for_the_demo(small):
    lines = [line for line in that_end("docs/how-to/predict.md") if line[1] == "predict"]
    assert len(lines) >= 2
    for line in lines:
        assert small.run(*ASSAY, *line[1:]).stdout, shlex.join(line)
