"""A DVC remote on S3: what the README has to be installed for it, against moto's server."""

import re
import signal
import socket
import subprocess
import sys
import time
from importlib.util import find_spec

import pytest

from tests.helpers.projects import ROOT, Project, ran, start_git

pytestmark = pytest.mark.skipif(
    not (find_spec("dvc_s3") and find_spec("moto")), reason="not installed: pip install 'dvc-s3==3.3.0' 'moto[server]'"
)
ACCESS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "eu-central-1"}


@pytest.fixture
def endpoint(tmp_path):
    """The address of an S3 server with an empty bucket `results`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (tmp_path / "moto.log").open("w") as log:
        server = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)], stdout=log, stderr=log)
    import boto3

    try:
        client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", aws_access_key_id="key",
                              aws_secret_access_key="secret", region_name="eu-central-1")  # fmt: skip
        end = time.monotonic() + 60
        while True:
            try:
                client.create_bucket(Bucket="results", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
                break
            except Exception:
                assert time.monotonic() < end, (tmp_path / "moto.log").read_text()
                time.sleep(0.3)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()


def test_a_clone_pulls_from_s3_and_has_nothing_to_run(endpoint, tmp_path):
    first = Project(tmp_path / "first", warm=True)
    first.folder.mkdir()
    (first.folder / "given.txt").write_text("one\n")
    (first.folder / "dvc.yaml").write_text(
        "stages: {one: {cmd: cp given.txt one.txt, deps: [given.txt], outs: [one.txt]}}\n"
    )
    start_git(first)
    first.run("dvc", "init", "--quiet")
    first.run("dvc", "remote", "add", "--default", "store", "s3://results/assay")
    first.run("dvc", "remote", "modify", "store", "endpointurl", endpoint)
    assert first.repro() == ["one"]
    first.run("git", "add", "--all")
    first.run("git", "commit", "--quiet", "--message", "run")
    first.run("dvc", "push", "--run-cache", **ACCESS)

    other = Project(tmp_path / "other", warm=True)
    subprocess.run(["git", "clone", "--quiet", str(first.folder), str(other.folder)], check=True)
    other.run("dvc", "pull", "--run-cache", **ACCESS)
    assert other.read("one.txt") == b"one\n"
    assert other.run("dvc", "status").stdout == "Data and pipelines are up to date.\n"
    (other.folder / "dvc.lock").unlink()
    assert ran(other.run("dvc", "repro").stdout) == [], "the run cache came, too"


def test_the_readme_names_the_package_that_this_tests():
    from importlib.metadata import version

    (line,) = re.findall(
        r'pip install "dvc-s3==([\d.]+)"', (ROOT / "docs/how-to/beyond-one-machine.md").read_text(encoding="utf-8")
    )
    assert line == version("dvc-s3")
