"""A Dask cluster for tests: a real scheduler and worker processes on the loopback."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.projects import ROOT, environment

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

    def wait_until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end, (self.folder / "dask.log").read_text()
            time.sleep(0.05)

    def stop_workers(self, left: int = 0) -> None:
        while len(self.workers) > left:
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
    from distributed import Client

    with Client(kept.address) as client:
        kept.wait_until(lambda: len(client.nthreads()) == 2)
    return kept


@pytest.fixture
def here(kept, tmp_path, monkeypatch):
    """A project without data, whose work goes to the cluster, with the workers that it has."""
    (tmp_path / "pipeline").symlink_to(ROOT / "pipeline")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_DASK", kept.address)
    return tmp_path
