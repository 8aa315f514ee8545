"""Experiments that DVC runs in a copy of the project, on raw data that no copy holds."""

import re
import shutil

import pytest

CHANGE = ("--set-param", "models.breast-knn.n_neighbors={}", "--name", "k{}")


@pytest.mark.parametrize("raw", ["raw/rows.csv", "../outside/rows.csv"])
def test_experiments_see_ignored_and_outside_data(clone, raw):
    path = clone.folder / raw
    path.parent.mkdir()
    shutil.copy(clone.folder / "data/demo/breast.csv", path)
    with (clone.folder / ".gitignore").open("a") as file:
        file.write("/raw\n")
    clone.change(tasks__breast__raw=raw)
    clone.repro("evaluate@breast-knn")
    clone.run("git", "add", "--all")
    clone.run("git", "commit", "--quiet", "--message", "own data")
    assert raw not in clone.run("git", "ls-files").stdout

    asked = [word.format(5) for word in CHANGE]
    done = clone.run("dvc", "exp", "run", "--temp", *asked, "evaluate@breast-knn")
    assert "Ran experiment(s): k5" in done.stdout
    assert "Running stage 'scan@breast'" not in done.stdout, "the data are the same"
    clone.run("dvc", "exp", "run", "--queue", *[word.format(9) for word in CHANGE], "evaluate@breast-knn")
    clone.run("dvc", "queue", "start")
    clone.run("dvc", "queue", "logs", "--follow", "k9", ok=False)
    status = clone.run("dvc", "queue", "status").stdout
    assert len(re.findall("Success", status)) == 1, status + clone.run("dvc", "queue", "logs", "k9", ok=False).stdout
    assert not clone.run("git", "status", "--porcelain").stdout
