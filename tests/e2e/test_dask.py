"""Two clones leave the same bytes, one of them on a Dask cluster, which does what this machine does.

What a cluster survives is in soak/test_dask.py.
"""

import itertools
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import distributed
import pytest
import yaml
from distributed import Client

from pipeline.core import cluster as cluster_module
from pipeline.core.errors import ClusterError, DataError
from pipeline.core.parallel import run_parallel
from tests.helpers.clusters import WORKER
from tests.helpers.projects import ROOT, Project, environment

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


def test_large_closures_are_sent_once_results_keep_order(here, cluster):
    import numpy as np

    large = np.arange(2_000_000)

    def work(item):
        time.sleep(0.02 * (item % 3))
        return item, int(large[item]), os.getpid(), str(Path.cwd())

    result = list(run_parallel(work, iter(range(60)), 2))
    assert [(item, value) for item, value, _, _ in result] == [(item, item) for item in range(60)]
    assert len({process for _, _, process, _ in result} - {os.getpid()}) == 2
    assert {folder for _, _, _, folder in result} == {str(here)}
    assert list((here / ".cache").iterdir()) == []


def test_a_worker_runs_changed_code(cluster, tmp_path):
    shutil.copytree(ROOT / "pipeline", tmp_path / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    own = tmp_path / "pipeline/own.py"
    call = "from pipeline import own\nfrom pipeline.core import parallel\nprint(list(parallel.run_parallel(own.f, range(4), 2)))"
    for answer in (
        "old",
        "newer",
    ):  # of another length: of the same one, written in the same second, Python keeps its byte code
        own.write_text(f"def f(item):\n    return {answer!r}\n")
        done = Project(tmp_path, warm=True).run(
            "python", "-c", call, ASSAY_DASK=cluster.address, PYTHONDONTWRITEBYTECODE="1"
        )
        assert done.stdout == f"{[answer] * 4}\n"


def test_a_worker_s_error_is_raised_here(here, cluster):
    def work(item):
        raise DataError(f"{item}.jpg: not a readable image")

    with pytest.raises(DataError, match=r"3.jpg: not a readable image"):
        list(run_parallel(work, [3], 2))


def test_a_worker_that_does_not_see_the_project_is_refused(here, cluster, monkeypatch):
    check = cluster_module.check_folder
    monkeypatch.setattr(cluster_module, "check_folder", lambda client, file: (file.unlink(), check(client, file)))
    with pytest.raises(ClusterError, match=f"does not see {here}; a cluster has to share the project's folder"):
        list(run_parallel(abs, [-1], 1))


def test_a_worker_with_other_packages_is_refused(here, cluster):
    other = here / "other/pillow-1.0.dist-info/METADATA"
    other.parent.mkdir(parents=True)
    other.write_text("Name: pillow\nVersion: 1.0\n")
    cluster.start_worker("--no-nanny", PYTHONPATH=str(other.parents[1]))
    with Client(cluster.address) as client:
        cluster.wait_until(lambda: len(client.nthreads()) == 3)
    with pytest.raises(
        ClusterError, match=r"has pillow 1.0, here .*; results could differ, .* install requirements.txt"
    ):
        list(run_parallel(abs, [-1], 1))
    cluster.stop_workers(left=2)


def test_one_worker_does_one_piece_at_a_time(here, kept):
    kept.stop_workers()
    kept.start_worker("--no-nanny", "--nthreads", "3")
    with Client(kept.address) as client:
        kept.wait_until(lambda: list(client.nthreads().values()) == [3])

    def work(item):
        start = time.monotonic()
        time.sleep(0.05)
        return start, time.monotonic()

    spans = sorted(run_parallel(work, range(9), 1))
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
    spans = sorted(run_parallel(work, range(9), 2))
    assert any(end > start for (_, end), (start, _) in itertools.pairwise(spans))
    kept.stop_workers()


PURE = (
    "distributed",
    "dask",
    "tornado",
    "msgpack",
    "cloudpickle",
    "toolz",
    "tlz",
    "click",
    "yaml",
    "psutil",
    "zict",
    "locket",
)
PURE += (
    "sortedcontainers",
    "tblib",
    "urllib3",
    "jinja2",
    "markupsafe",
    "packaging",
    "fsspec",
    "importlib_metadata",
    "zipp",
)


@pytest.fixture
def other_python(tmp_path):
    """Another version of Python that runs a Dask worker: its path, and the packages it shares with this one."""
    here = Path(distributed.__file__).parents[1]
    (tmp_path / "shared").mkdir()
    for path in (
        result for name in PURE for result in (here / name, *here.glob(f"{name}-*.dist-info")) if result.exists()
    ):
        (tmp_path / "shared" / path.name).symlink_to(path)
    env = os.environ | {"PYTHONPATH": str(tmp_path / "shared")}
    known = [shutil.which(f"python3.{minor}") for minor in range(11, 15) if minor != sys.version_info.minor]
    known += [str(path) for path in Path.home().glob(".pyenv/versions/3.1[1-4]*/bin/python")]
    for python in filter(None, known):
        code = "import sys, distributed.cli.dask_worker; print(sys.version_info[:2])"
        done = subprocess.run([python, "-c", code], env=env, capture_output=True, text=True)
        if done.returncode == 0 and done.stdout.strip() != str(sys.version_info[:2]):
            return python, env["PYTHONPATH"]
    pytest.skip("no other Python that can run a Dask worker is installed")


@pytest.mark.filterwarnings("ignore:Mismatched versions found")
def test_a_worker_with_another_python_is_refused_before_it_crashes(here, kept, other_python):
    kept.stop_workers()
    python, packages = other_python
    command = [python, "-m", "distributed.cli.dask_worker", kept.address, *WORKER, "--no-nanny"]
    with (kept.folder / "dask.log").open("a") as log:
        env = environment() | {"PYTHONPATH": packages}
        kept.workers.append(subprocess.Popen(command, cwd=kept.folder, env=env, stdout=log, stderr=log))
    with Client(kept.address) as client:
        kept.wait_until(lambda: len(client.nthreads()) == 1)
    with pytest.raises(
        ClusterError, match=r"the worker tcp://\S+ has Python 3.1\d, here 3.1\d; .*numpy none, here"
    ) as caught:
        list(run_parallel(abs, [-1], 1))
    assert "scheduler" not in str(caught.value)
    assert kept.workers[0].poll() is None, "no code reached it"
    kept.stop_workers()


def test_a_missing_scheduler_is_one_line_and_exit_2(small, tmp_path):
    done = small.run("python", "-m", "pipeline.scan", "lesions", ok=False, ASSAY_DASK="tcp://127.0.0.1:9")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("ClusterError: ASSAY_DASK=tcp://127.0.0.1:9: no Dask scheduler answers there")
    assert line.endswith("start it with 'dask scheduler', or unset ASSAY_DASK to work on this machine")
