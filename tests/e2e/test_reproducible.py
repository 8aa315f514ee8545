"""Two clones, the same bytes; and a copy without git."""

import json
import shutil
import subprocess


def test_two_clones_from_nothing_give_the_same_lock_and_reports(small, tmp_path):
    """On one machine; another processor may differ in last bits, and nothing fails because of it."""
    other = type(small)(tmp_path / "other")
    start = subprocess.run(
        ["git", "-C", str(small.folder), "rev-list", "--max-parents=0", "HEAD"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    subprocess.run(["git", "clone", "--quiet", str(small.folder), str(other.folder)], check=True)
    other.run("git", "checkout", "--quiet", start)
    assert not (other.folder / "dvc.lock").exists()
    other.repro()
    assert other.read("dvc.lock") == small.read("dvc.lock")
    for path in sorted((small.folder / "reports").rglob("*")):
        if path.is_file():
            assert other.read(path.relative_to(small.folder).as_posix()) == path.read_bytes(), path.name


def test_an_unpacked_archive_without_git_works(small, tmp_path):
    project = type(small)(tmp_path / "unpacked")
    shutil.copytree(small.folder, project.folder, ignore=shutil.ignore_patterns(".git", "cache", "mlflow", "logs"))
    project.run("dvc", "config", "--local", "core.no_scm", "true")
    project.run("dvc", "config", "--local", "cache.dir", str(small.folder / ".dvc" / "cache"))
    assert project.repro() == ["track"]
    runs = json.loads(project.read("mlflow/tracked.json"))
    assert len(runs) == len(project.params()["models"])
