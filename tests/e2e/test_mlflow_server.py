"""The results on an MLflow server that keeps them in PostgreSQL: the commands of compose.yaml, run on the loopback.

What differs from `docker compose up`: PGHOSTADDR and PGPORT stand for the network of the containers, the port and the folder of
artifacts are others, and no container confines the processes.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import yaml

from tests.helpers.projects import ROOT, environment

SERVICES = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
PASSWORD = "a b'c$1%40/@:?"  # nothing in the way from secret to server may read it as more than text


def program(name: str) -> str | None:
    """Return the path of a program of PostgreSQL; Debian leaves them out of the search path."""
    result = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(result[-1]) if result else None)


pytestmark = pytest.mark.skipif(
    not (program("initdb") and program("postgres")), reason="PostgreSQL is not installed: apt-get install postgresql"
)


@dataclass
class Server:
    """An MLflow server: its address, its process, and how libpq reaches its database."""

    uri: str
    process: subprocess.Popen
    database: dict[str, str]

    def count(self) -> dict[str, int]:
        """Return how many rows each table of the database has."""
        known = {"host": self.database["PGHOSTADDR"], "port": self.database["PGPORT"], "password": PASSWORD}
        with psycopg.connect(user="mlflow", dbname="mlflow", **known) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables}


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
    """A new PostgreSQL as compose.yaml describes it, owned by a user other than root, whom it refuses.

    Yields the variables by which libpq finds it.
    """
    given = SERVICES["database"]["environment"]
    folder = Path(tempfile.mkdtemp(prefix="assay-postgres-"))
    (folder / "postgres_password").write_text(f"{PASSWORD}\n")  # as openssl ends it
    user = {}
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        shutil.chown(folder / "postgres_password", "postgres", "postgres")
        user = {"user": "postgres", "group": "postgres", "extra_groups": []}
    options = {"cwd": folder, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}, **user}
    # as the image's entry point does it
    command = [program("initdb"), "--username", given["POSTGRES_USER"], "--pwfile", "postgres_password", "--no-sync"]
    command += ["--auth-host", "scram-sha-256", "--auth-local", "trust", "--encoding", "UTF8", "data"]
    made = subprocess.run(command, capture_output=True, text=True, **options)
    assert made.returncode == 0, made.stderr
    port = free_port()
    with (folder / "log").open("w") as log:
        command = [program("postgres"), "-D", "data", "-h", "127.0.0.1", "-p", str(port), "-k", str(folder), "-F"]
        served = subprocess.Popen(command, stdout=log, stderr=log, **options)
    try:
        wait_for(served, port, folder / "log")
        create = [
            program("createdb"),
            "-h",
            str(folder),
            "-p",
            str(port),
            "-U",
            given["POSTGRES_USER"],
            given["POSTGRES_DB"],
        ]
        subprocess.run(create, check=True, **options)
        yield {
            "PGHOSTADDR": "127.0.0.1",
            "PGPORT": str(port),
            "POSTGRES_PASSWORD_FILE": str(folder / "postgres_password"),
        }
    finally:
        end(served)
        shutil.rmtree(folder)


def command_of(service: str, *changes: tuple[str, str]) -> list[str]:
    """Return a service's command as a container runs it; each change replaces what has to be there."""
    text = json.dumps(SERVICES[service]["command"])
    for old, new in changes:
        assert old in text, f"{service}: no {old} in {text}"
        text = text.replace(old, new)
    assert "${" not in text
    return json.loads(text.replace("$$", "$"))


@pytest.fixture(scope="module")
def server(database, tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    changes = [
        ("--port 5000", f"--port {port}"),
        ("--host 0.0.0.0", "--host 127.0.0.1"),
        ("/artifacts", f"{folder}/artifacts"),
    ]
    given = SERVICES["mlflow"]["environment"] | database
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command_of("mlflow", *changes), env=environment() | given, cwd=folder, stdout=log, stderr=log
        )
    try:
        wait_for(process, port, folder / "log")
        yield Server(f"http://127.0.0.1:{port}", process, database)
    finally:
        end(process)


def test_health_checks_of_compose_pass(server):
    check = SERVICES["database"]["healthcheck"]["test"]
    assert check[0] == "CMD-SHELL"
    ready = check[1].replace("pg_isready", program("pg_isready"))
    assert subprocess.run(["sh", "-c", ready], env=os.environ | server.database).returncode == 0
    how, *command = SERVICES["mlflow"]["healthcheck"]["test"]
    command[-1] = command[-1].replace("http://127.0.0.1:5000", server.uri)
    assert (how, subprocess.run(command, env=environment()).returncode) == ("CMD", 0)


def test_the_password_is_in_no_command_line(server):
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert any(b"postgresql+psycopg" in line for line in lines)
    assert not [line for line in lines if PASSWORD.encode() in line and b"pytest" not in line]


def test_an_open_database_is_refused_without_the_password(server):
    known = {"host": server.database["PGHOSTADDR"], "port": server.database["PGPORT"]}
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(user="mlflow", dbname="mlflow", **known)


ASK = """
import json, sys
from mlflow import MlflowClient, artifacts
client, found, prefix = MlflowClient(), {}, sys.argv[1]
for task in ("lesions", "breast"):
    experiment = client.get_experiment_by_name(f"{prefix}.{task}")
    runs = client.search_runs([experiment.experiment_id])
    version = client.get_model_version_by_alias(f"{prefix}.{task}", "champion")
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
    content = json.loads(small.run("python", "-c", ASK, small.folder.name, MLFLOW_TRACKING_URI=mirrored.uri).stdout)
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
    assert f"2 unchanged; champion breast-logreg, version 1 of {small.folder.name}.breast\n" in done.stderr
    assert mirrored.count() == before


def test_a_server_that_is_down_is_one_clear_error(small):
    uri = f"http://127.0.0.1:{free_port()}"
    done = small.run("python", "-m", "pipeline.track", ok=False, MLFLOW_TRACKING_URI=uri)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"TrackError: the MLflow store {uri} cannot be used (")
    assert "check MLFLOW_TRACKING_URI and the server, then run 'python -m pipeline.track' again" in line
