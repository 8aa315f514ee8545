"""What it costs to leave one machine: a Dask cluster, an MLflow server, a DVC remote; all here, so without a network."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.figures import Figure, ratio, save
from benchmarks.scratch import Scratch


@contextlib.contextmanager
def running(folder: Path, port: int, *command: str) -> Iterator[psutil.Process]:
    """Run a server in `folder` until the block ends; the block starts when something listens at the port."""
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", *command], cwd=folder, stdout=log, stderr=log)
    try:
        while process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    """Set an environment variable for the time of the block."""
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]


def dask(project: Scratch) -> list[Figure]:
    """Scan the demo's images here, and on a cluster of two worker processes on the same cores."""

    def scan() -> float:
        project.forget("data/lesions/scan")
        project.forget(".cache/features")
        return project.run(sys.executable, "-m", "pipeline.scan", "lesions").seconds

    here, port = min(scan() for _ in range(3)), free_port()
    address, local = f"tcp://127.0.0.1:{port}", ("--no-dashboard", "--host", "127.0.0.1")
    with contextlib.ExitStack() as stack:
        folder = project.folder
        stack.enter_context(running(folder, port, "dask", "scheduler", "--port", str(port), *local))
        for _ in range(2):
            index = free_port()
            stack.enter_context(
                running(
                    folder, index, "dask", "worker", address, "--nthreads", "1", "--worker-port", str(index), *local
                )
            )
        with variable("ASSAY_DASK", address):
            there = min(scan() for _ in range(3))
    how = f"{there:.3g} and {here:.3g} s for 360 images"
    return [Figure("Dask: a scan on a cluster takes longer than here by", there - here, how, unit="s")]


def server(project: Scratch) -> list[Figure]:
    """Mirror the demo into MLflow's own files, and to a server with a database of its own."""
    project.forget("mlflow")
    here, port = project.run(sys.executable, "-m", "pipeline.track").seconds, free_port()
    folder = project.folder / "server"
    folder.mkdir()
    options = (
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--backend-store-uri",
        "sqlite:///runs.db",
        "--artifacts-destination",
        "kept",
    )
    with (
        running(folder, port, "mlflow", "server", *options) as process,
        variable("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}"),
    ):
        there = project.run(sys.executable, "-m", "pipeline.track").seconds
        again = project.run(sys.executable, "-m", "pipeline.track").seconds
        memory = sum(item.memory_full_info().pss for item in (process, *process.children(recursive=True))) / 1e6
    return [
        ratio("MLflow server: track of ten new models against the local store", there, here),
        Figure("MLflow server: track when nothing is new", again, "", unit="s"),
        Figure("MLflow server: memory", memory, "PSS of its processes", unit="MB"),
    ]  # fmt: skip


def remote(project: Scratch, whole: float) -> list[Figure]:
    """Push the demo's outputs to a remote, and let a second copy reproduce by pulling alone."""
    kept = project.folder / "remote"
    project.run("dvc", "remote", "add", "--default", "here", str(kept))
    push = project.run("dvc", "push", "--quiet", "--run-cache").seconds
    size = sum(path.stat().st_size for path in kept.rglob("*") if path.is_file()) / 1e6
    with Scratch(demo=True) as second:
        second.run("dvc", "remote", "add", "--default", "there", str(kept))
        shutil.copy(project.folder / "dvc.lock", second.folder)  # what git would bring
        shutil.copytree(project.folder / "reports", second.folder / "reports")
        pull = second.run("dvc", "pull", "--quiet", "--run-cache", "--allow-missing").seconds
        repro = second.run("dvc", "repro").seconds
    return [
        Figure("DVC remote: room for the demo's outputs", size, "", unit="MB"),
        Figure("DVC remote: first push", push, "", unit="s"),
        ratio("DVC remote: pull and repro in a second copy against a first run", pull + repro, whole),
    ]


def main() -> None:
    with Scratch(demo=True) as project:
        whole = project.run("dvc", "repro").seconds
        figures = remote(project, whole) + dask(project) + server(project)
    save("beyond", "Beyond one machine", figures)


if __name__ == "__main__":
    main()
