"""Experiments that DVC runs in a copy of the project, on raw data that no copy holds."""

import shutil

CHANGE = ("--set-param", "models.breast-knn.n_neighbors=5", "--name", "k5")


def commit_raw(clone, raw, target):
    """Make `raw`, which git does not track, the data of a task; run its graph up to `target` and commit."""
    path = clone.folder / raw
    path.parent.mkdir()
    shutil.copy(clone.folder / "data/demo/breast.csv", path)
    clone.change(tasks__breast__raw=raw)
    clone.repro(target)
    clone.run("git", "add", "--all")
    clone.run("git", "commit", "--quiet", "--message", "own data")
    assert raw not in clone.run("git", "ls-files").stdout


def test_experiments_see_ignored_and_outside_data(clone):
    """Both ways work in a copy below .dvc/tmp/exps; what a copy sees of either path is in core/test_copies.py."""
    with (clone.folder / ".gitignore").open("a") as file:
        file.write("/raw\n")
    commit_raw(clone, "raw/rows.csv", "evaluate@breast-knn")
    clone.run("dvc", "exp", "run", "--queue", *CHANGE, "evaluate@breast-knn")
    clone.run("dvc", "queue", "start")
    done = clone.run("dvc", "queue", "logs", "--follow", "k5", ok=False)
    status = clone.run("dvc", "queue", "status").stdout
    assert "Success" in status, status + done.stdout
    assert "Running stage 'scan@breast'" not in done.stdout, "the data are the same"
    assert not clone.run("git", "status", "--porcelain").stdout

    commit_raw(clone, "../outside/rows.csv", "scan@breast")
    done = clone.run("dvc", "exp", "run", "--temp", "--set-param", "seed=8", "--name", "outside", "scan@breast")
    assert "Ran experiment(s): outside" in done.stdout
    assert "Running stage 'scan@breast'" not in done.stdout, "the data are the same"
    assert not clone.run("git", "status", "--porcelain").stdout
