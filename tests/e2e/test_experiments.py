"""Experiments that DVC runs in a copy of the project, on raw data that no copy holds."""

import shutil

SCANS = ("scan@breast", "scan@lesions")


def commit_raw(clone):
    """Put the raw data of one task where git ignores them, those of the other outside, scan them and commit."""
    with (clone.folder / ".gitignore").open("a") as file:
        file.write("/raw\n")
    (clone.folder / "raw").mkdir()
    shutil.copy(clone.folder / "data/demo/breast.csv", clone.folder / "raw/rows.csv")
    shutil.copytree(clone.folder / "data/demo/lesions", clone.folder / "../outside/lesions")
    clone.change(tasks__breast__raw="raw/rows.csv", tasks__lesions__raw="../outside/lesions")
    clone.repro(*SCANS)
    clone.run("git", "add", "--all")
    clone.run("git", "commit", "--quiet", "--message", "own data")
    assert "raw/rows.csv" not in clone.run("git", "ls-files").stdout


def test_experiments_see_ignored_and_outside_data(clone):
    """In a copy below .dvc/tmp/exps; a queue makes its copies there, too (soak/test_queue.py)."""
    commit_raw(clone)
    done = clone.run("dvc", "exp", "run", "--temp", "--set-param", "workers=1", "--name", "other", *SCANS)
    assert "Ran experiment(s): other" in done.stdout
    assert "Running stage 'scan@" not in done.stdout, "the data are the same"
    assert not clone.run("git", "status", "--porcelain").stdout
