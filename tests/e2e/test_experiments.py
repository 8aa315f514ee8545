"""Experiments that DVC runs in a copy of the project, on raw data that no copy holds."""

import shutil

import pytest

CHANGE = ("--set-param", "models.breast-knn.n_neighbors=5", "--name", "k5")


@pytest.mark.parametrize(("raw", "how"), [("raw/rows.csv", "--queue"), ("../outside/rows.csv", "--temp")])
def test_experiments_see_ignored_and_outside_data(clone, raw, how):
    """Both ways work in a copy below .dvc/tmp/exps; what a copy sees of either path is in core/test_copies.py."""
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

    done = clone.run("dvc", "exp", "run", how, *CHANGE, "evaluate@breast-knn")
    if how == "--queue":
        clone.run("dvc", "queue", "start")
        done = clone.run("dvc", "queue", "logs", "--follow", "k5", ok=False)
        status = clone.run("dvc", "queue", "status").stdout
        assert "Success" in status, status + done.stdout
    else:
        assert "Ran experiment(s): k5" in done.stdout
    assert "Running stage 'scan@breast'" not in done.stdout, "the data are the same"
    assert not clone.run("git", "status", "--porcelain").stdout
