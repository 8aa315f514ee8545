"""Two clones, the same bytes, on one machine and on a Dask cluster; and a copy without git."""

import json
import os
import shutil

import yaml
from distributed import Client

ON_CLUSTER = ("audit@lesions", "train@lesions-knn", "train@breast-logreg")


def lock(project) -> dict:
    """Return what dvc.lock says of the stages but `track`; that a clone's own mirror has the same lock is in test_remote.py."""
    stages = yaml.safe_load(project.read("dvc.lock"))["stages"]
    return {name: stage for name, stage in stages.items() if name != "track"}


def test_two_clones_give_the_same_lock_with_or_without_cluster(small, cluster, tmp_path):
    """On one machine; another processor may differ in last bits, and nothing fails because of it.

    The second clone scans, audits and trains on a cluster, and does the rest as the first; soak/test_dask.py runs the network
    and what follows it, too.
    """
    other = second_clone(small, cluster, tmp_path / "other", ON_CLUSTER, "report@breast")
    names, of_first = {*ON_CLUSTER, "holdout@breast", "report@breast"}, lock(small)
    assert names <= {*lock(other)}
    assert lock(other) == {name: of_first[name] for name in lock(other)}
    assert_same_reports(small, other, "breast")


def second_clone(first, cluster, folder, on_cluster: tuple[str, ...], *targets: str):
    """Return a clone of `first` as it was before its run, in which stages have run on the cluster, and then targets here."""
    other = type(first)(folder, warm=True)
    log = first.run("git", "rev-list", "--max-parents=0", "HEAD")
    first.run("git", "clone", "--quiet", str(first.folder), str(folder))
    other.run("git", "checkout", "--quiet", log.stdout.strip())
    assert not (folder / "dvc.lock").exists()
    other.run("dvc", "repro", *on_cluster, ASSAY_DASK=cluster.address)
    with Client(cluster.address) as client:
        assert set(client.run(os.getcwd).values()) == {str(folder)}, "the workers had nothing to do"
    other.repro(*targets)
    return other


def assert_same_reports(first, other, task: str) -> None:
    paths = [path for path in sorted((first.folder / "reports" / task).rglob("*")) if path.is_file()]
    assert paths
    for path in paths:
        assert other.read(path.relative_to(first.folder).as_posix()) == path.read_bytes(), path.name


def test_an_unpacked_archive_without_git_works(small, tmp_path):
    project = type(small)(tmp_path / "unpacked", warm=True)
    shutil.copytree(small.folder, project.folder, ignore=shutil.ignore_patterns(".git", "cache", "mlflow", "logs"))
    project.run("dvc", "config", "--local", "core.no_scm", "true")
    project.run("dvc", "config", "--local", "cache.dir", str(small.folder / ".dvc" / "cache"))
    assert project.repro() == ["track"]
    runs = json.loads(project.read("mlflow/tracked.json"))
    assert len(runs) == len(project.params()["models"])
