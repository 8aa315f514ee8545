"""What Docker Compose, Fly.io, Render and a Space start, read from their files and run: it answers where they look for it."""

import json
import re
import shlex
import shutil
import subprocess
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import yaml

from tests.e2e.test_mlflow_server import free_port
from tests.helpers.projects import ROOT, Project, environment
from tests.test_deploy import build_context

SERVICES = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PATIENCE = 90  # s until a server answers


def with_ports(command: list[str], port: int, own: int) -> list[str]:
    """Return a command that listens at the port `own` of this machine alone, where it said `port` and every address."""
    assert str(port) in command or "streamlit" in command
    changed = [{"0.0.0.0": "127.0.0.1", str(port): str(own)}.get(word, word) for word in command]
    return changed if str(own) in changed else [*changed[:3], "--server.port", str(own), *changed[3:]]


@contextmanager
def running(project: Project, command: list[str], url: str, **env: str) -> Iterator[None]:
    """Run a server until the block ends; the block begins once `url` answers with 200."""
    log = project.folder / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=project.folder, env=environment() | env, stdout=out, stderr=out)
    try:
        end = time.monotonic() + PATIENCE
        while status(url) != 200:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def status(url: str, data: bytes | None = None, **headers: str) -> int:
    try:
        request = urllib.request.Request(url, data, {name.replace("_", "-"): value for name, value in headers.items()})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


@pytest.mark.parametrize("service", ["api", "app"])
def test_commands_of_compose_pass_their_health_check(clone, service):
    block, own = SERVICES[service], free_port()
    (port,) = {int(mapping.split(":")[-1]) for mapping in block["ports"]}
    check = block.get("healthcheck", {}).get("test", []) or re.findall(r"^HEALTHCHECK .*", DOCKERFILE, re.MULTILINE)
    (url,) = re.findall(rf"http://127\.0\.0\.1:{port}\S*?(?=')", " ".join(check))
    with running(
        clone, with_ports(block["command"].split(), port, own), url.replace(str(port), str(own)), ASSAY_API_KEYS=""
    ):
        pass


def test_the_image_on_fly_is_ready_where_fly_looks(clone):
    fly, own = tomllib.loads((ROOT / "fly.toml").read_text(encoding="utf-8")), free_port()
    stage = DOCKERFILE.partition(f" AS {fly['build']['build-target']}\n")[2].partition("\nFROM ")[0]
    (command,) = re.findall(r"^CMD (\[.*\])$", stage, re.MULTILINE)
    command, port = json.loads(command), fly["http_service"]["internal_port"]
    (check,) = fly["http_service"]["checks"]
    address = f"http://127.0.0.1:{own}"
    with running(
        clone, with_ports(command, port, own), address + check["path"], ASSAY_API_KEYS="a-key-of-24-letters-0123"
    ):
        ask = f"{address}/v1/tasks"
        assert status(ask) == 401
        assert status(ask, Authorization="Bearer a-key-of-24-letters-0123") == 200


def test_the_image_on_fly_refuses_to_start_without_keys(clone):
    (command,) = {text for text in re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)}
    done = clone.run(*json.loads(command), ok=False, timeout=60, ASSAY_API_KEYS="")
    assert done.returncode == 2
    assert "ASSAY_API_KEYS" in done.stderr


@pytest.fixture
def exported(small, tmp_path) -> Project:
    """What `deploy/export.sh` writes of a project with the champions of the small graph."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(tmp_path / "project")], check=True)
    project = Project(tmp_path / "project")
    for path in small.folder.glob("models/*/best"):
        shutil.copytree(path, project.folder / path.relative_to(small.folder))
    shutil.rmtree(project.folder / "reports")
    shutil.copytree(small.folder / "reports", project.folder / "reports")
    project.run("deploy/export.sh", str(tmp_path / "exported"))
    assert project.run("deploy/export.sh", str(tmp_path / "exported"), ok=False).returncode == 2, "it replaces nothing"
    return Project(tmp_path / "exported")


def test_an_export_is_an_image_on_render_and_a_space(exported):
    files = {path.relative_to(exported.folder).as_posix() for path in exported.folder.rglob("*") if path.is_file()}
    around = {"Dockerfile", ".dockerignore", "README.md", "render.yaml", "LICENSE", "NOTICE"}
    assert files - build_context(list(files)) == around
    assert {"models/lesions/best/bundle.json", "reports/lesions/selection.json"} <= files

    (service,) = yaml.safe_load((exported.folder / "render.yaml").read_text(encoding="utf-8"))["services"]
    variables = {item["key"]: item for item in service["envVars"]}
    assert variables["ASSAY_API_KEYS"]["generateValue"]
    port, own = variables["PORT"]["value"], free_port()
    command = service["dockerCommand"].replace("0.0.0.0", "127.0.0.1").replace(f"--port {port}", f"--port {own}")
    keys = {"ASSAY_API_KEYS": "a-key-of-24-letters-0123", "RENDER_EXTERNAL_HOSTNAME": "assay.onrender.com"}
    address = f"http://127.0.0.1:{own}"
    with running(exported, shlex.split(command), address + service["healthCheckPath"], **keys):
        assert status(f"{address}/v1/tasks", Host="assay.onrender.com") == 401
        assert status(f"{address}/v1/tasks", Host="elsewhere.example") == 403

    settings = yaml.safe_load((exported.folder / "README.md").read_text(encoding="utf-8").split("---")[1])
    assert (settings["sdk"], settings["app_port"]) == ("docker", 8501)
    last = re.findall(r"^CMD (\[.*\])$", (exported.folder / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)[-1]
    app = SERVICES["app"]["command"]
    assert json.loads(last) == ["sh", "-c", f'exec {app} --allowed-hosts "$SPACE_HOST"']
