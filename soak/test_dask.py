"""What a run on a Dask cluster survives, and what it says of the rest: workers and schedulers that are killed."""

import os
import signal
import subprocess
import sys
import time

import pytest

from pipeline.core import cluster as cluster_module
from pipeline.core.errors import ClusterError
from pipeline.core.parallel import run_parallel
from tests.e2e.test_dask import ON_CLUSTER, assert_same_reports, lock, second_clone
from tests.helpers.clusters import Cluster
from tests.helpers.projects import ROOT, Project, environment
from tests.helpers.samples import noise, task, write_params


def test_a_worker_killed_during_a_scan_costs_no_result(cluster, small, tmp_path, monkeypatch):
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
        log = running.communicate(timeout=300)[1]
    assert running.returncode == 0, log
    assert {path.name: path.read_bytes() for path in out.iterdir()} == expected


def test_work_that_kills_every_worker_is_named_and_ends(here, cluster):
    cluster.stop_workers()
    cluster.start_worker("--nanny")  # starts its worker again

    def work(item):
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(ClusterError, match="4 workers died on the same piece of work"):
        list(run_parallel(work, [0], 1))
    cluster.stop_workers()


def test_a_scheduler_that_goes_away_is_one_clear_error(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_module, "WAIT", 5)
    own = Cluster(tmp_path)
    (tmp_path / "pipeline").symlink_to(ROOT / "pipeline")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_DASK", own.address)
    try:
        with pytest.raises(ClusterError, match=r"the scheduler has no workers; start some with 'dask worker tcp://"):
            list(run_parallel(abs, [-1], 1))
        own.start_worker("--no-nanny")
        result = run_parallel(lambda item: time.sleep(0.2), range(100), 1)
        next(result)
        own.scheduler.kill()
        with pytest.raises(ClusterError, match="the scheduler was lost"):
            list(result)
    finally:
        own.stop()


def test_a_network_trained_on_the_cluster_gives_the_same_reports(small, cluster, tmp_path):
    on_cluster = (*ON_CLUSTER, "train@lesions-mobilenetv2")
    other = second_clone(small, cluster, tmp_path / "other", on_cluster, "report@lesions", "report@breast")
    assert lock(other) == lock(small)
    for name in ("lesions", "breast"):
        assert_same_reports(small, other, name)
