"""Where the MLflow store is, who may write to it, and its pages in the browser; `mirror` writes its content.

The store is the folder `mlflow/` of the project, or the server that MLFLOW_TRACKING_URI names.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.core import copies, paths
from pipeline.core.errors import AssayError
from pipeline.tracking import moved_store

PAGES_LOG = paths.LOGS / "mlflow-ui.log"
LOCK_SECONDS = 120  # to wait for another process; mirroring ten models into a new store takes about ten
START_SECONDS = 90  # for the pages to answer; eight or so on a laptop
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # a server that is not there is reported after seconds instead of minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",  # seconds
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # the pages need none, and it costs eight processes
}
FULL = ("No space left on device", "disk is full")  # as the operating system says it, and SQLite
AGAIN = "run 'python -m pipeline.track' again. The results themselves are complete; only their copy in MLflow is not"


class TrackError(AssayError):
    """MLflow's store or pages are not available."""


def folder() -> Path:
    """Return the absolute path of the project's own store."""
    return copies.home() / paths.STORE


def server() -> str | None:
    """Return the URI of the server or database to use instead of the project's own store, if there is one.

    MLflow sets the variable itself, to the own store too.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    own = uri.startswith("sqlite:///") and Path(uri.removeprefix("sqlite:///")).resolve() == folder() / "mlflow.db"
    return None if own else uri or None


def database() -> str:
    """Return the URI of the project's own store."""
    return f"sqlite:///{(folder() / 'mlflow.db').as_posix()}"


@contextmanager
def locked() -> Iterator[str]:
    """Yield the URI of the store while no other process of the project writes to it. Paths in a moved store are corrected first.

    Raises TrackError for any failure of the store, its files or the connection to its server.
    """
    uri, where = server() or database(), server() or folder()
    if not server() and (set("%?") & set(str(where)) or set("'\"") <= set(str(where))):
        raise TrackError(
            f"{where}: has a %, a ? or both kinds of quotes in its path, and MLflow would write elsewhere or fail: move the "
            "project to a folder without, or let MLFLOW_TRACKING_URI name a server"
        )
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with FileLock(folder() / "track.lock", timeout=LOCK_SECONDS):
            if not server():
                moved_store.follow(folder())
            yield uri
    except Timeout:
        raise TrackError(
            f"another process has had the MLflow store {where} for {LOCK_SECONDS} s; wait for it or end it, then {AGAIN}"
        ) from None
    except Exception as error:
        if is_full(error):
            raise TrackError(
                f"the disk is full and the MLflow store {where} incomplete; free disk space, then {AGAIN}"
            ) from error
        if not from_store(error):
            raise
        cure = (
            "check MLFLOW_TRACKING_URI and the server"
            if server()
            else "close what has it open, or move the folder away"
        )
        raise TrackError(
            f"the MLflow store {where} cannot be used ({first_line(error)}); {cure}, then {AGAIN}"
        ) from error


def from_store(error: Exception) -> bool:
    """Return whether an exception comes from the store: its database, its files, or the connection to its server."""
    return isinstance(error, OSError) or type(error).__module__.split(".")[0] in (
        "mlflow",
        "sqlalchemy",
        "sqlite3",
        "requests",
    )


def is_full(error: BaseException | None) -> bool:
    """Return whether an exception, or one of its causes, reports a full disk; MLflow wraps them several times."""
    return error is not None and (any(text in str(error) for text in FULL) or is_full(error.__context__))


def first_line(error: Exception) -> str:
    """Return an exception's name and the first line of its text, cut to 200 characters."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__


def finish(uri: str) -> None:
    """Note that the project's own store, if `uri` is that, is complete and belongs to this folder."""
    if uri == database():
        moved_store.note(folder())


def show(pages: dict[str, str], port: int) -> None:
    """Serve MLflow's pages until the process is ended; print the address of each task's page and open the first.

    `pages` maps a task to the part of the address behind the host.
    """
    if address := server():
        announce(pages, address.rstrip("/"))
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise TrackError(f"port {port} is taken; take another, for instance: make ui PORT={port + 1}") from None
    options = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--backend-store-uri", database()]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that ending this process ends the server too
    PAGES_LOG.parent.mkdir(exist_ok=True)
    with PAGES_LOG.open("w", encoding="utf-8") as log:
        served = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *options],
            env=os.environ | SETTINGS,
            cwd=folder(),
            stdout=log,
            stderr=log,
        )
        try:
            wait_for(served, port)
            announce(pages, f"http://127.0.0.1:{port}")
            served.wait()
        finally:
            served.terminate()
            served.wait()


def wait_for(process: subprocess.Popen, port: int) -> None:
    """Return once the pages answer; raise TrackError if their process ends or they take too long."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise TrackError(f"MLflow's pages do not start; {PAGES_LOG.as_posix()} says why")


def announce(pages: dict[str, str], host: str) -> None:
    """Print where each task's page is, and open the first where there is a screen."""
    for task, page in pages.items():
        print(f"{task}: {host}{page}", flush=True)
    screen = sys.platform in ("win32", "darwin") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if screen:
        webbrowser.open(host + next(iter(pages.values())))
