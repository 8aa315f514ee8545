"""A Dask cluster does what this machine does, to the byte: a real scheduler and two worker processes on the loopback."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from distributed import Client

from pipeline import cluster as module
from pipeline.parallel import run_parallel
from pipeline.stage import ClusterError, DataError
from tests.projects import ROOT, Project, environment
from tests.samples import noise, task, write_params

WORKER = ("--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1")


class Cluster:
    """A scheduler and its workers, as processes. They are started elsewhere than in the project."""

    def __init__(self, folder: Path):
        self.folder, self.workers = folder, []
        file = folder / "scheduler.json"
        options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        self.scheduler = self.start("scheduler", *options)
        self.wait_until(lambda: file.exists() and file.read_text().strip().endswith("}"))
        self.address = json.loads(file.read_text())["address"]

    def start(self, *arguments: str, **env: str) -> subprocess.Popen:
        with (self.folder / "dask.log").open("a") as log:
            command = [sys.executable, "-m", "dask", *arguments]
            return subprocess.Popen(command, cwd=self.folder, env=environment() | env, stdout=log, stderr=log)

    def start_worker(self, *options: str, **env: str) -> None:
        self.workers.append(self.start("worker", self.address, *WORKER, *options, **env))

    def wait_until(self, condition) -> None:
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end, (self.folder / "dask.log").read_text()
            time.sleep(0.05)

    def stop_workers(self) -> None:
        while self.workers:
            end(self.workers.pop())

    def stop(self) -> None:
        self.stop_workers()
        end(self.scheduler)


def end(process: subprocess.Popen) -> None:
    """Ask a process to end, a nanny for instance, which ends its worker; do not wait for long."""
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("dask"))
    yield cluster
    cluster.stop()


@pytest.fixture
def cluster(kept):
    """The cluster of this file with two workers; those that a test has killed are replaced."""
    kept.workers = [worker for worker in kept.workers if worker.poll() is None]
    while len(kept.workers) < 2:
        kept.start_worker("--no-nanny")
    with Client(kept.address) as client:
        kept.wait_until(lambda: len(client.nthreads()) == 2)
    return kept


@pytest.fixture
def here(cluster, tmp_path, monkeypatch):
    """A project without data, whose work goes to the cluster."""
    (tmp_path / "pipeline").symlink_to(ROOT / "pipeline")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_DASK", cluster.address)
    return tmp_path


STAGES = (
    "scan@lesions",
    "audit@lesions",
    *(f"train@{name}" for name in ("lesions-mobilenetv2", "lesions-knn", "breast-logreg")),
)


def test_stages_on_a_cluster_leave_the_bytes_that_they_leave_on_one_machine(cluster, clone):
    before = clone.read("dvc.lock")
    clone.run("dvc", "repro", "--force", "--single-item", *STAGES, ASSAY_DASK=cluster.address)
    assert clone.read("dvc.lock") == before
    with Client(cluster.address) as client:
        assert set(client.run(os.getcwd).values()) == {str(clone.folder)}, "the workers had nothing to do"


def test_a_worker_killed_while_a_scan_runs_costs_time_and_no_result(cluster, small, tmp_path, monkeypatch):
    project = Project(tmp_path)
    for name in ("pipeline", "models"):
        (tmp_path / name).symlink_to(small.folder / name)
    for number in range(300):
        path = tmp_path / f"raw/{'ab'[number % 2]}/{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise(number, 300, 200).save(path)
    monkeypatch.chdir(tmp_path)
    write_params(task())
    command = (sys.executable, "-m", "pipeline.scan", "skin")
    project.run(*command)
    out = tmp_path / "data/skin/scan"
    expected = {path.name: path.read_bytes() for path in out.iterdir()}
    for path in [*out.iterdir(), *(tmp_path / ".cache/features").iterdir()]:
        path.unlink()  # the scan would find what it knows
    part = out / ".embeddings.npy.part"
    env = environment() | {"ASSAY_DASK": cluster.address}
    with subprocess.Popen(command, cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True) as running:
        cluster.wait_until(lambda: part.exists() and part.stat().st_size > 50_000)
        cluster.workers[0].send_signal(signal.SIGKILL)
        assert running.poll() is None
        said = running.communicate(timeout=300)[1]
    assert running.returncode == 0, said
    assert {path.name: path.read_bytes() for path in out.iterdir()} == expected


def test_closures_with_large_arrays_are_sent_once_and_results_come_in_order(here):
    import numpy as np

    large = np.arange(2_000_000)

    def work(item):
        time.sleep(0.02 * (item % 3))
        return item, int(large[item]), os.getpid(), str(Path.cwd())

    found = list(run_parallel(work, iter(range(60)), 2))
    assert [(item, value) for item, value, _, _ in found] == [(item, item) for item in range(60)]
    assert len({process for _, _, process, _ in found} - {os.getpid()}) == 2
    assert {folder for _, _, _, folder in found} == {str(here)}
    assert list((here / ".cache").iterdir()) == []


def test_changed_code_is_what_a_worker_runs_that_had_imported_the_old(cluster, tmp_path):
    shutil.copytree(ROOT / "pipeline", tmp_path / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    own = tmp_path / "pipeline/own.py"
    call = "from pipeline.own import f\nfrom pipeline.parallel import run_parallel\nprint(list(run_parallel(f, range(4), 2)))"
    for answer in (
        "old",
        "newer",
    ):  # of another length: of the same one, written in the same second, Python keeps its byte code
        own.write_text(f"def f(item):\n    return {answer!r}\n")
        done = Project(tmp_path).run(
            sys.executable, "-c", call, ASSAY_DASK=cluster.address, PYTHONDONTWRITEBYTECODE="1"
        )
        assert done.stdout == f"{[answer] * 4}\n"


def test_an_error_of_ours_on_a_worker_is_the_same_here(here):
    def work(item):
        raise DataError(f"{item}.jpg: not a readable image")

    with pytest.raises(DataError, match=r"3.jpg: not a readable image"):
        list(run_parallel(work, [3], 2))


def test_with_one_worker_a_process_does_one_piece_at_a_time_though_it_has_threads(here, cluster):
    cluster.stop_workers()
    cluster.start_worker("--no-nanny", "--nthreads", "3")

    def work(item):
        start = time.monotonic()
        time.sleep(0.05)
        return start, time.monotonic()

    spans = sorted(run_parallel(work, range(9), 1))
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
    spans = sorted(run_parallel(work, range(9), 2))
    assert any(end > start for (_, end), (start, _) in itertools.pairwise(spans))
    cluster.stop_workers()


def test_work_that_kills_every_worker_it_is_given_to_is_named_and_does_not_go_on_for_ever(here, cluster):
    cluster.stop_workers()
    cluster.start_worker("--nanny")  # starts its worker again

    def work(item):
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(ClusterError, match="4 workers died on the same piece of work"):
        list(run_parallel(work, [0], 1))
    cluster.stop_workers()


def test_a_worker_with_other_packages_is_refused(here, cluster):
    other = here / "other/pillow-1.0.dist-info/METADATA"
    other.parent.mkdir(parents=True)
    other.write_text("Name: pillow\nVersion: 1.0\n")
    cluster.start_worker("--no-nanny", PYTHONPATH=str(other.parents[1]))
    with Client(cluster.address) as client:
        cluster.wait_until(lambda: len(client.nthreads()) == 3)
    with pytest.raises(ClusterError, match=r"has pillow 1.0, here .*; results could differ: install requirements.txt"):
        list(run_parallel(abs, [-1], 1))
    cluster.stop_workers()


def test_a_worker_that_does_not_see_the_project_is_refused(here, monkeypatch):
    check = module.check_workers
    monkeypatch.setattr(module, "check_workers", lambda client, file: (file.unlink(), check(client, file)))
    with pytest.raises(ClusterError, match=f"does not see {here}; a cluster has to share the project's folder"):
        list(run_parallel(abs, [-1], 1))


def test_without_a_scheduler_a_stage_says_so_in_one_line_and_exits_2(small, tmp_path):
    done = small.run(sys.executable, "-m", "pipeline.scan", "lesions", ok=False, ASSAY_DASK="tcp://127.0.0.1:9")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("ClusterError: ASSAY_DASK=tcp://127.0.0.1:9: no Dask scheduler answers there")
    assert line.endswith("start it with 'dask scheduler', or unset ASSAY_DASK to work on this machine")


def test_a_scheduler_that_goes_away_under_way_is_one_clear_error(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "WAIT", 5)
    own = Cluster(tmp_path)
    (tmp_path / "pipeline").symlink_to(ROOT / "pipeline")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_DASK", own.address)
    try:
        with pytest.raises(ClusterError, match=r"the scheduler has no workers; start some with 'dask worker tcp://"):
            list(run_parallel(abs, [-1], 1))
        own.start_worker("--no-nanny")
        found = run_parallel(lambda item: time.sleep(0.2), range(100), 1)
        next(found)
        own.scheduler.kill()
        with pytest.raises(ClusterError, match="the scheduler was lost"):
            list(found)
    finally:
        own.stop()
