"""A server process on the bundles of the small graph: equal numbers everywhere, hot swap under load, hostile requests."""

import contextlib
import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import select_best
from pipeline.core import artifacts
from pipeline.evaluation.report import read_cv
from pipeline.prediction import bundle
from pipeline.prediction.decision_rule import DecisionRule
from pipeline.prediction.predictor import Predictor
from tests.helpers.models import folder_of
from tests.helpers.serving import Client, until

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def served(folder: Path, **env: str) -> Iterator[tuple[Client, subprocess.Popen, Path]]:
    """Run `python -m app.api` in `folder`; yield a client, the process and its log."""
    clean = {name: value for name, value in os.environ.items() if name != "ASSAY_API_KEYS"}
    command = [sys.executable, "-m", "app.api", "--port", "0"]
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch, "log")
        with log.open("wb") as message:
            process = subprocess.Popen(
                command, cwd=folder, env=clean | env, stdout=subprocess.PIPE, stderr=message, text=True
            )
        try:
            client = Client(int(re.search(r"http://[^ ]*:(\d+);", process.stdout.readline()).group(1)))
            until(lambda: client.get("/readyz")[0] == 200, "the server is ready")
            yield client, process, log
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) in (0, -signal.SIGTERM), log.read_text()
            process.stdout.close()
        assert "Traceback" not in log.read_text()


@pytest.fixture(scope="module")
def api(small) -> Iterator[Client]:
    """A server on the bundles of `small`."""
    with served(small.folder) as (client, _, _):
        yield client


def demo_images(folder: Path) -> list[tuple[str, bytes]]:
    """Return name and bytes of the demo's images that can be read."""
    raw, audit = folder / "data/demo/lesions", json.loads((folder / "data/lesions/audit.json").read_text())
    damaged = {item["path"] for item in audit["unreadable"]}
    with (raw / "labels.csv").open(encoding="utf-8", newline="") as file:
        paths = [row["path"] for row in csv.DictReader(file)]
    return [(path, (raw / path).read_bytes()) for path in paths if path not in damaged]


def test_api_and_command_line_give_50_images_equal_numbers(small, api):
    """`holdout` is compared to the command line in test_repro.py; here the API is, digit for digit."""
    files = demo_images(small.folder)[:50]
    over_http = []
    for start in range(0, len(files), 25):
        over_http += api.send("/v1/tasks/lesions/predict", *files[start : start + 25])[1]["predictions"]
    names = [f"data/demo/lesions/{name}" for name, _ in files]
    command = ["python", "-m", "pipeline.predict", "models/lesions/best", *names, "--format", "json"]
    items = json.loads(small.run(*command).stdout)
    assert [item | {"file": ""} for item in over_http] == [item | {"file": ""} for item in items]
    assert len(items) == 50


def test_api_and_command_line_give_rows_equal_numbers(small, api):
    with (small.folder / "data/demo/breast.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:50]
    columns = [field["name"] for field in api.get("/v1/tasks/breast")[1]["schema"]]
    rows = [{name: row[name] for name in columns} for row in rows]
    over_http = api.rows(*rows, task="breast")[1]["predictions"]
    loaded = Predictor(small.folder / "models/breast/best")
    assert over_http == [loaded.predict(row, f"row {number}") for number, row in enumerate(rows, start=1)]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_requests_of_the_page_on_serving_are_answered(clone, api):
    page = (ROOT / "docs/how-to/serve.md").read_text(encoding="utf-8")
    lines = re.findall(r"^(?:curl .*/predict/?|python -c .*)$", page.partition("```\n\n")[0], re.MULTILINE)
    assert len(lines) == 4
    for line in lines:
        printed = clone.run("sh", "-c", line.replace("127.0.0.1:8000", f"127.0.0.1:{api.port}")).stdout
        assert line.startswith("python") or '"class"' in printed, f"{line}\n{printed}"


def test_a_network_is_served_without_heavy_packages(clone):
    shutil.rmtree(clone.folder / "models/breast")
    make_champion(clone, "lesions-mobilenetv2")
    code = (
        "import atexit, runpy, sys; "
        "atexit.register(lambda: print(*sorted({n.split('.')[0] for n in sys.modules}), file=open('modules', 'w'))); "
        "sys.argv = ['app.api', '--port', '0']; runpy.run_module('app.api', run_name='__main__')"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=clone.folder, stdout=subprocess.PIPE, text=True)
    client = Client(int(re.search(r":(\d+);", process.stdout.readline()).group(1)))
    until(lambda: client.get("/readyz")[0] == 200, "the server is ready")
    assert client.send("/predict/", demo_images(clone.folder)[0], field="file")[0] == 200
    process.send_signal(signal.SIGINT)
    process.wait(20)
    process.stdout.close()
    loaded = set((clone.folder / "modules").read_text().split())
    assert "ai_edge_litert" in loaded
    assert not {"tensorflow", "keras", "mlflow", "dvc", "pandas", "sklearn", "scipy"} & loaded


def make_champion(project, model: str) -> None:
    """Export `model` as `select_best` would if it had won."""
    task, read = model.split("-")[0], artifacts.read_json
    with folder_of(project.folder):
        sha = select_best.export(task, model, DecisionRule.read(task, model), read_cv(task, model), "")
        path = Path(f"reports/{task}/selection.json")
        artifacts.write_json(path, read(path) | {"winner": model, "bundle": sha})


def test_champions_are_replaced_under_load_and_damaged_ones_refused(clone):
    make_champion(clone, "lesions-logreg")
    files, answers, stop = demo_images(clone.folder)[:4], [], threading.Event()
    with served(clone.folder) as (client, _, log):

        def ask(number: int) -> None:
            while not stop.is_set():
                status, content, _ = client.send("/predict/", files[number], field="file")
                answers.append((number, status, content.get("bundle"), content.get("confidence_score")))
                stop.wait(0.05)  # the rest of two cores is the server's

        askers = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
        for asker in askers:
            asker.start()
        try:
            until(lambda: len(answers) > 20, "requests are answered")
            seen = [client.get("/readyz")[1]["tasks"]["lesions"]]
            for model in ("lesions-mobilenetv2", "lesions-knn", "lesions-logreg"):
                make_champion(clone, model)
                until(lambda: client.get("/readyz")[1]["tasks"]["lesions"] != seen[-1], f"{model} is taken up")
                seen.append(client.get("/readyz")[1]["tasks"]["lesions"])
                assert seen[-1].startswith(f"{model}@")
            best = clone.folder / "models/lesions/best"
            whole = (best / "embedder.tflite").read_bytes()
            (best / "embedder.tflite").write_bytes(whole[:-1] + b"!")
            until(lambda: client.get("/readyz")[1]["refused"], "the damaged bundle is refused")
            status, ready, _ = client.get("/readyz")
            assert (status, ready["tasks"]["lesions"]) == (200, seen[-1])
            assert "embedder.tflite does not match bundle.json" in ready["refused"]["lesions"]
            assert f"lesions: new bundle refused, {seen[-1]} stays in use" in log.read_text()
            (best / "embedder.tflite").write_bytes(whole)
            until(lambda: not client.get("/readyz")[1]["refused"], "the mended bundle is taken up")
        finally:
            stop.set()
            for asker in askers:
                asker.join()
    assert {status for _, status, _, _ in answers} == {200}
    assert {message for _, _, message, _ in answers} == set(seen)
    # one bundle, one file: always one number
    numbers = {}
    for number, _, message, confidence in answers:
        numbers.setdefault((number, message), set()).add(confidence)
    assert all(len(result) == 1 for result in numbers.values())


def test_repro_changes_the_champion_that_is_served(clone):
    with served(clone.folder) as (client, _, log):
        before = client.get("/readyz")[1]["tasks"]["breast"]
        clone.change(**{"models__breast-logreg__C": 0.5})
        clone.repro("select_best@breast")
        until(lambda: client.get("/readyz")[1]["tasks"]["breast"] != before, "the new champion is taken up")
        assert "refused" not in log.read_text()
        expected = json.loads(clone.read("reports/breast/selection.json"))["bundle"]
        assert client.get("/readyz")[1]["tasks"]["breast"].endswith("@" + expected[:12])


def test_schemathesis_finds_no_server_error_and_no_undocumented_answer(api):
    """With 100 random requests to each path in soak/test_schemas.py."""
    schemathesis(api, 4)


def schemathesis(api: Client, n_examples: int) -> None:
    """Send what the documented schemas cover, and so many random requests to each path; fail on what no page documents."""
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")), "run", f"http://127.0.0.1:{api.port}/openapi.json",
            "--checks", "all", "--exclude-checks", "positive_data_acceptance",  # random bytes are no image
            "--phases", "examples,coverage,fuzzing", "--max-examples", str(n_examples), "--seed", "7",
            "--suppress-health-check", "all", "--exclude-path", "/metrics",
        ],
        capture_output=True, text=True, cwd=ROOT / "tests", timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert api.get("/healthz")[0] == 200


def test_the_served_bundle_is_the_one_whose_hash_git_keeps(small, api):
    for task in ("lesions", "breast"):
        expected = json.loads(small.run("git", "show", f"HEAD:reports/{task}/selection.json").stdout)["bundle"]
        assert expected == bundle.read(small.folder / f"models/{task}/best").sha256
        assert api.get(f"/v1/tasks/{task}")[1]["bundle"].endswith("@" + expected[:12])


def test_a_server_asks_for_keys_and_ends_gracefully(small):
    files, answers, ended = demo_images(small.folder)[:20], [], threading.Event()
    with served(small.folder, ASSAY_API_KEYS="the-key") as (client, process, log):
        assert client.send("/v1/tasks/lesions/predict", *files)[0] == 401

        def ask() -> None:
            while not ended.is_set():  # the last one is under way when the server is told to end
                answers.append(client.send("/v1/tasks/lesions/predict", *files, authorization="Bearer the-key"))

        asker = threading.Thread(target=ask)
        asker.start()
        until(
            lambda: b"assay_waiting_requests 1" in client.get("/metrics", authorization="Bearer the-key")[1], "it works"
        )
        ended.set()
        process.send_signal(signal.SIGTERM)
        asker.join()
        assert process.wait(15) in (0, -signal.SIGTERM)
        assert {answer[0] for answer in answers} == {200}
        assert "the-key" not in log.read_text()
