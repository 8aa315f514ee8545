"""Two clones, the same bytes, on one machine and on a Dask cluster; and a copy without git."""

import json
import os
import shutil
import subprocess

import yaml
from distributed import Client

ON_CLUSTER = ("audit@lesions", *(f"train@{name}" for name in ("lesions-mobilenetv2", "lesions-knn", "breast-logreg")))


def lock(project) -> dict:
    """Return what dvc.lock says of the stages but `track`; that a clone's own mirror has the same lock is in test_remote.py."""
    stages = yaml.safe_load(project.read("dvc.lock"))["stages"]
    return {name: stage for name, stage in stages.items() if name != "track"}


def test_two_clones_give_the_same_lock_with_or_without_cluster(small, cluster, tmp_path):
    """On one machine; another processor may differ in last bits, and nothing fails because of it.

    The second clone scans, audits and trains on a cluster, and does the rest as the first.
    """
    other = type(small)(tmp_path / "other", warm=True)
    start = subprocess.run(
        ["git", "-C", str(small.folder), "rev-list", "--max-parents=0", "HEAD"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    subprocess.run(["git", "clone", "--quiet", str(small.folder), str(other.folder)], check=True)
    other.run("git", "checkout", "--quiet", start)
    assert not (other.folder / "dvc.lock").exists()
    other.run("dvc", "repro", *ON_CLUSTER, ASSAY_DASK=cluster.address)
    with Client(cluster.address) as client:
        assert set(client.run(os.getcwd).values()) == {str(other.folder)}, "the workers had nothing to do"
    other.repro("report@lesions", "report@breast")
    assert lock(other) == lock(small)
    for path in sorted((small.folder / "reports").rglob("*")):
        if path.is_file():
            assert other.read(path.relative_to(small.folder).as_posix()) == path.read_bytes(), path.name


def test_an_unpacked_archive_without_git_works(small, tmp_path):
    project = type(small)(tmp_path / "unpacked", warm=True)
    shutil.copytree(small.folder, project.folder, ignore=shutil.ignore_patterns(".git", "cache", "mlflow", "logs"))
    project.run("dvc", "config", "--local", "core.no_scm", "true")
    project.run("dvc", "config", "--local", "cache.dir", str(small.folder / ".dvc" / "cache"))
    assert project.repro() == ["track"]
    runs = json.loads(project.read("mlflow/tracked.json"))
    assert len(runs) == len(project.params()["models"])
