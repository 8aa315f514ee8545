"""The tutorials, followed to the letter in a small project."""

import shlex
from pathlib import Path

import pytest

from tests.test_docs import ROOT, commands

SERVERS = {"app", "api", "ui", "doctor"}


@pytest.mark.parametrize("page", ["images", "table"])
def test_each_command_of_a_tutorial_runs(clone, page):
    words = commands(ROOT / f"docs/tutorial/{page}.md")
    ran = [line for line in words if line[1] not in SERVERS]
    assert len(ran) >= 4
    for line in ran:
        program = ["python", "-c", "from pipeline.assay import main; main()"]
        printed = clone.run(*program, *line[1:]).stdout
        assert printed, shlex.join(line)
    task = "mine" if page == "images" else "tumours"
    assert f"{task}-" in clone.run(*program, "leaderboard", task).stdout
    assert Path(clone.folder, f"models/{task}/best/bundle.json").exists()
