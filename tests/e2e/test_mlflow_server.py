"""The results on an MLflow server that keeps them in PostgreSQL: a real one of each, on the loopback."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest

from pipeline.tracking.mlflow_store import SETTINGS
from tests.projects import environment


def program(name: str) -> str | None:
    """Return the path of a program of PostgreSQL; Debian leaves them out of the search path."""
    result = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(result[-1]) if result else None)


pytestmark = pytest.mark.skipif(
    not (program("initdb") and program("postgres")), reason="PostgreSQL is not installed: apt-get install postgresql"
)


@dataclass
class Server:
    """An MLflow server: its address, its process, and how psycopg2 reaches its database."""

    uri: str
    process: subprocess.Popen
    database: dict

    def count(self) -> dict[str, int]:
        """Return how many rows each table of the database has."""
        connection = psycopg2.connect(**self.database)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
                tables = [name for (name,) in cursor.fetchall()]
                counts = {}
                for name in tables:
                    cursor.execute(f'SELECT count(*) FROM "{name}"')
                    counts[name] = cursor.fetchone()[0]
                return counts
        finally:
            connection.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(process: subprocess.Popen, port: int, log: Path, seconds: float = 120) -> None:
    """Return once something listens at the port; fail the test if its process ends before."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise AssertionError(f"nothing listens after {seconds} s\n{log.read_text()}")


def end(process: subprocess.Popen) -> None:
    process.terminate()
    process.wait(timeout=60)


@pytest.fixture(scope="module")
def database():
    """A new PostgreSQL on a free port, owned by a user other than root, whom it refuses."""
    folder = Path(tempfile.mkdtemp(prefix="assay-postgres-"))
    user = {}
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        user = {"user": "postgres", "group": "postgres", "extra_groups": []}
    options = {"cwd": folder, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}, **user}
    made = subprocess.run(
        [program("initdb"), "--username", "assay", "--auth", "trust", "--no-sync", "--encoding", "UTF8", "data"],
        capture_output=True,
        text=True,
        **options,
    )
    assert made.returncode == 0, made.stderr
    port = free_port()
    with (folder / "log").open("w") as log:
        command = [program("postgres"), "-D", "data", "-h", "127.0.0.1", "-p", str(port), "-k", str(folder), "-F"]
        served = subprocess.Popen(command, stdout=log, stderr=log, **options)
    try:
        wait_for(served, port, folder / "log")
        yield {"host": "127.0.0.1", "port": port, "user": "assay", "dbname": "postgres"}
    finally:
        end(served)
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def server(database, tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    store = "postgresql+psycopg2://{user}@{host}:{port}/{dbname}".format(**database)
    options = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    options += ["--backend-store-uri", store, "--artifacts-destination", str(folder / "artifacts")]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *options],
            env=environment() | SETTINGS,
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(process, port, folder / "log")
        yield Server(f"http://127.0.0.1:{port}", process, database)
    finally:
        end(process)


ASK = """
import json
from mlflow import MlflowClient, artifacts
client, found = MlflowClient(), {}
for task in ("lesions", "breast"):
    experiment = client.get_experiment_by_name(task)
    runs = client.search_runs([experiment.experiment_id])
    version = client.get_model_version_by_alias(task, "champion")
    found[task] = {
        "runs": {run.info.run_name: [run.info.status, run.data.metrics, run.data.params] for run in runs},
        "champion": version.tags["model"],
        "files": sorted(file.path for file in client.list_artifacts(version.run_id, "plots")),
    }
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def mirrored(small, server):
    """The server with the results of the small graph."""
    small.run("python", "-m", "pipeline.track", MLFLOW_TRACKING_URI=server.uri)
    return server


def test_runs_metrics_and_champions_are_on_the_server(small, mirrored):
    content = json.loads(small.run("python", "-c", ASK, MLFLOW_TRACKING_URI=mirrored.uri).stdout)
    for task in ("lesions", "breast"):
        runs = content[task]["runs"]
        assert set(runs) == set(small.params()["tasks"][task]["models"])
        for model, (status, metrics, tuned) in runs.items():
            report = json.loads(small.read(f"reports/{task}/test/{model}.json"))
            assert (status, metrics["test_roc_auc"]) == ("FINISHED", report["roc_auc"])
            assert tuned["estimator"] == small.params()["models"][model]["estimator"]
        assert content[task]["champion"] == json.loads(small.read(f"reports/{task}/selection.json"))["winner"]
        assert "plots/roc.png" in content[task]["files"]


def test_tracking_again_writes_no_row(small, mirrored):
    before = mirrored.count()
    assert before["runs"] == 5
    done = small.run("python", "-m", "pipeline.track", MLFLOW_TRACKING_URI=mirrored.uri)
    assert (
        "track breast: 0 runs created, 2 unchanged; champion breast-logreg, version 1 of small.breast\n" in done.stderr
    )
    assert mirrored.count() == before


def test_a_server_that_is_down_is_one_clear_error(small):
    uri = f"http://127.0.0.1:{free_port()}"
    done = small.run("python", "-m", "pipeline.track", ok=False, MLFLOW_TRACKING_URI=uri)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"TrackError: the MLflow store {uri} cannot be used (")
    assert "check MLFLOW_TRACKING_URI and the server, then run 'python -m pipeline.track' again" in line
