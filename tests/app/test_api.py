"""The HTTP API: what it answers, and that it is the Predictor's answer."""

import ast
import contextlib
import http.client
import json
import logging
import os
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path

import pytest

from app import api, keys, limits
from pipeline.data import upload_ledger
from pipeline.prediction.decision_rule import DecisionRule
from pipeline.prediction.predictor import Predictor
from tests.models import picture
from tests.serving import GOOD, ROW, Client, form, make_project, running
from tests.textures import stored, texture
from tests.uploads import make_task, one_of

ROOT = Path(__file__).parents[2]
KEYS = ["file", "class", "probabilities", "decision", "refused", "reason"]


@pytest.fixture(scope="module")
def server(tmp_path_factory, program) -> Client:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("served"))
        make_project(program)
        with running() as client:
            yield client


@pytest.fixture(scope="module")
def skin(server) -> Predictor:
    return Predictor("models/skin/best")


# Answers


def test_one_image_is_answered_as_by_the_predictor(server, skin):
    for path in ("/predict/", "/predict"):
        status, content, _ = server.send(path, ("a.png", GOOD), field="file")
        item = skin.predict(GOOD, "a.png")
        assert (status, content["predictions"]) == (200, [item])
        assert (content["task"], content["bundle"]) == ("skin", skin.id)
        assert content["predicted_class"] == item["class"] == "malignant"
        assert content["confidence_score"] == item["probabilities"]["malignant"]


def test_many_pictures_are_answered_in_their_order(server, skin):
    files = [(f"{seed}.png", picture(seed)) for seed in range(12)]
    status, content, _ = server.send("/v1/tasks/skin/predict", *files)
    assert status == 200
    assert content == {"bundle": skin.id, "task": "skin", "predictions": [skin.predict(d, n) for n, d in files]}
    assert list(content["predictions"][0]) == KEYS


def test_bad_files_get_a_reason_and_good_ones_an_answer(server):
    files = ("good.png", GOOD), ("bad.png", b"no picture"), ("empty.png", b"")
    status, content, _ = server.send("/v1/tasks/skin/predict", *files)
    assert status == 200
    assert [item["refused"] for item in content["predictions"]] == [False, True, True]
    assert content["predictions"][1]["reason"].startswith("not a readable image; expected one of JPEG")
    assert content["predictions"][2]["reason"] == "not a readable image (0 bytes)"


def test_a_single_bad_file_is_a_problem_with_the_reason(server):
    status, content, headers = server.send("/predict/", ("bad.png", b"no picture"), field="file")
    assert (status, headers["content-type"]) == (422, "application/problem+json")
    assert content["detail"].startswith("bad.png: not a readable image; expected one of JPEG, PNG")
    assert content["predictions"][0]["refused"]
    assert (content["type"], content["title"], content["status"]) == ("about:blank", HTTPStatus(422).phrase, 422)
    status, content, _ = server.send("/v1/tasks/skin/predict", ("a", b"1"), ("b", b"2"))
    assert (status, len(content["predictions"])) == (422, 2)
    assert content["detail"].startswith("None of 2 samples can be used; a: not a readable image")


def test_rows_are_answered_as_the_predictor_does_good_or_bad(server):
    rows = [ROW, ROW | {"age": None}, ROW | {"age": "old"}, {"age": 1}]
    status, content, _ = server.rows(*rows)
    expected = Predictor("models/patients/best")
    assert status == 200
    assert content["predictions"] == [expected.predict(row, f"row {n}") for n, row in enumerate(rows, start=1)]
    assert content["predictions"][2]["reason"] == "column 'age': found 'old'; expected a number"


def test_explanations_are_sent_only_on_request(server, skin):
    files = ("good.png", GOOD), ("bad.png", b"no picture")
    status, content, _ = server.send("/v1/tasks/skin/predict?explain=true", *files)
    good, bad = content["predictions"]
    item, why = skin.explain(GOOD, "good.png")
    assert status == 200
    assert good == item | {"explanation": why.to_json()}
    assert bad["explanation"] is None
    status, content, _ = server.send("/v1/tasks/skin/predict?explain=false", *files)
    assert list(content["predictions"][0]) == KEYS
    status, content, _ = server.send("/predict/?explain=1", ("good.png", GOOD), field="file")
    assert content["predictions"][0]["explanation"]["kind"] == "class activation map"


def test_explanations_of_rows_list_columns(server):
    body = json.dumps({"rows": [ROW]})
    address = "/v1/tasks/patients/predict?explain=true"
    status, content, _ = server.ask("POST", address, body, content_type="application/json")
    assert status == 200
    _, why = Predictor("models/patients/best").explain(ROW, "row 1")
    assert content["predictions"][0]["explanation"] == why.to_json()


def test_too_many_rows_to_explain_are_a_413(server, monkeypatch):
    monkeypatch.setattr(limits, "EXPLAINED", 2)
    body = json.dumps({"rows": [ROW] * 3})
    for asked, expected in (("true", 413), ("false", 200)):
        address = f"/v1/tasks/patients/predict?explain={asked}"
        status, content, _ = server.ask("POST", address, body, content_type="application/json")
        assert status == expected
        assert asked == "false" or content["detail"].startswith("Found 3 rows; at most 2 can be explained at once.")


def test_a_wrong_query_parameter_is_named(server):
    status, content, headers = server.send("/v1/tasks/skin/predict?explain=perhaps", ("a.png", GOOD))
    assert (status, headers["content-type"]) == (422, "application/problem+json")
    assert content["detail"].startswith("explain='perhaps': input should be a valid boolean")


def test_file_names_are_returned_unchanged_and_missing_ones_numbered(server):
    names = ["../../etc/passwd", "ein Bild.png", "図.png", "a" * 300]
    _, content, _ = server.send("/v1/tasks/skin/predict", *((name, GOOD) for name in names))
    assert [item["file"] for item in content["predictions"]] == [*names[:3], "a" * 255]
    body = form(("", GOOD)).replace(b'; filename=""', b"")
    content_type = "multipart/form-data; boundary=a-boundary-that-no-file-holds"
    status, content, _ = server.ask("POST", "/v1/tasks/skin/predict", body, content_type=content_type)
    assert (status, content["predictions"][0]["file"]) == (200, "file 1")


# Tasks


def test_tasks_are_listed_and_described(server, skin):
    status, content, _ = server.get("/v1/tasks")
    assert status == 200
    assert [task["task"] for task in content["tasks"]] == ["patients", "skin"]
    described = server.get("/v1/tasks/skin")[1]
    facts = {"task": "skin", "kind": "image", "model": "line", "bundle": skin.id, "classes": ["benign", "malignant"]}
    assert content["tasks"][1] == facts
    assert described == facts | {"schema": None, "metrics": described["metrics"], "card": described["card"]}
    assert described["metrics"]["out_of_fold"] == {"roc_auc": 0.9}
    assert described["metrics"]["test"]["roc_auc"] == 0.8
    assert described["card"]["test_looks"] == "test set evaluated 7 times or more"
    assert described["card"]["chosen"] == "line wins"
    assert described["card"]["decision"] == DecisionRule().to_json()
    assert "not a medical device" in described["card"]["use"]


def test_an_unreadable_evaluation_count_is_left_out_of_the_card(server):
    path = Path("reports/skin/test_looks.csv")
    before = path.read_bytes()
    path.write_bytes(before + b"<<<<<<< HEAD\n")  # as a merge with conflicts leaves it
    try:
        status, content, _ = server.get("/v1/tasks/skin")
    finally:
        path.write_bytes(before)
    assert (status, content["metrics"]["test"]["roc_auc"]) == (200, 0.8)
    assert "test_looks" not in content["card"]


def test_a_tables_columns_are_described_with_units_and_ranges(server):
    _, content, _ = server.get("/v1/tasks/patients")
    assert [field["name"] for field in content["schema"]] == list(ROW)
    assert content["schema"][0]["unit"] == "years"
    assert content["schema"][2]["choices"] == ["arm", "leg"]
    assert "test" not in content["metrics"]


@pytest.mark.parametrize("path", ["/v1/tasks/nothing", "/v1/tasks/..%2fskin", "/v1/tasks/skin%00", "/v1/tasks/%F0%28"])
def test_an_unknown_task_is_a_404_listing_the_tasks(server, path):
    status, content, _ = server.get(path)
    assert status == 404
    assert "there are: patients, skin" in content["detail"] or "nothing at this path" in content["detail"]


def test_unknown_paths_and_methods_are_problem_documents(server):
    for method, path, status in (("GET", "/nowhere", 404), ("GET", "/", 404), ("GET", "/predict/", 405)):
        found, content, headers = server.ask(method, path)
        assert (found, headers["content-type"]) == (status, "application/problem+json")
        assert content["detail"].endswith("/docs lists all paths.")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/v1/tasks", "/v1/tasks/nothing", "/openapi.json"])
def test_head_gets_the_headers_of_get_and_no_body(server, path):
    status, _, headers = server.get(path)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    with contextlib.closing(connection):
        for _ in range(2):  # the connection goes on: nothing was left in it
            connection.request("HEAD", path)
            answer = connection.getresponse()
            assert (answer.status, answer.headers["content-type"]) == (status, headers["content-type"])
            assert int(answer.headers["content-length"]) > 0
            assert answer.read() == b""


# What a client does wrong


@pytest.mark.parametrize(
    ("task", "content_type", "body", "status", "said"),
    [
        ("skin", "application/json", b'{"rows": []}', 415, "expected multipart/form-data with the images under the"),
        ("skin", "", b"", 415, "Found no content type; expected multipart/form-data"),
        ("skin", "multipart/form-data", b"", 415, "expected multipart/form-data"),
        ("skin", "multipart/form-data; boundary=x", b"", 422, "ends before its closing boundary"),
        ("skin", "multipart/form-data; boundary=x", b"--x\r\n(\r\n", 422, "The multipart form is damaged"),
        ("skin", "multipart/form-data; boundary=x", b"--x--\r\n", 422, "has no field 'files'; it has: none"),
        (
            "patients",
            "multipart/form-data; boundary=x",
            b"--x--\r\n",
            415,
            "expected application/json: this task takes",
        ),
        ("patients", "application/json", b"", 422, "The body is not JSON"),
        ("patients", "application/json", b'{"rows": [{"age": NaN}]}', 422, "NaN is not JSON: send null for a missing"),
        ("patients", "application/json", b"[]", 422, 'does not contain rows; expected {"rows"'),
        ("patients", "application/json", b'{"rows": [{"age": [1]}]}', 422, "Row 1, column 'age': expected a number, a"),
        ("patients", "application/json", b"[" * 100_000, 422, "nested too deeply"),
    ],
)
def test_a_request_that_cannot_be_read_says_what_was_expected(server, task, content_type, body, status, said):
    found, content, _ = server.ask("POST", f"/v1/tasks/{task}/predict", body, content_type=content_type)
    assert (found, content["status"]) == (status, status)
    assert said in content["detail"]


def test_a_wrong_form_field_names_the_expected_one(server):
    status, content, _ = server.send("/predict/", ("a.png", GOOD), field="image")
    assert (status, content["detail"]) == (
        422,
        "The form has no field 'file'; it has: 'image'. Send the images under 'file'.",
    )


# Health, figures, page


def test_health_names_the_versions_and_readiness_the_bundles(server, skin):
    status, content, _ = server.get("/healthz")
    assert (status, content["status"]) == (200, "ok")
    assert {"assay", "python", "numpy", "ai-edge-litert", "fastapi"} <= set(content["versions"])
    status, content, _ = server.get("/readyz")
    assert (status, content["ready"], content["refused"]) == (200, True, {})
    assert content["tasks"]["skin"] == skin.id


def test_figures_count_requests_by_route_and_answers_by_class(server):
    def value(line):
        page = server.get("/metrics")[1].decode()
        return next((float(found.split()[-1]) for found in page.splitlines() if found.startswith(line)), 0)

    asked = 'assay_requests_total{route="/predict/",status="200"}'
    answered = 'assay_predictions_total{answer="malignant",task="skin"}'
    before = value(asked), value(answered)
    server.send("/predict/", ("secret.png", GOOD), field="file")
    assert (value(asked), value(answered)) == (before[0] + 1, before[1] + 1)
    assert value("assay_waiting_requests") == 0
    assert value('assay_bundle{bundle="line') == 1
    server.get("/a/secret/path")
    assert b"secret" not in server.get("/metrics")[1]


def test_openapi_lists_every_route_with_examples_and_errors(server):
    status, content, _ = server.get("/openapi.json")
    assert status == 200
    assert set(content["paths"]) == {
        "/v1/tasks", "/v1/tasks/{task}", "/v1/tasks/{task}/predict", "/v1/tasks/{task}/monitor",
        "/v1/tasks/{task}/samples", "/predict/", "/healthz", "/readyz", "/metrics",
    }  # fmt: skip
    predict = content["paths"]["/v1/tasks/{task}/predict"]["post"]
    assert set(predict["requestBody"]["content"]) == {"multipart/form-data", "application/json"}
    assert {"200", "401", "404", "413", "415", "422", "503"} <= set(predict["responses"])
    assert list(predict["responses"]["503"]["content"]) == ["application/problem+json"]
    assert predict["responses"]["503"]["content"]["application/problem+json"]["schema"]["examples"]
    for name in ("Predictions", "OnePrediction"):
        assert content["components"]["schemas"][name]["examples"]


# Keys and addresses


def test_with_keys_every_answer_but_the_probes_needs_one(server, caplog):
    key = "a key with spaces and ü".encode().decode("latin-1")  # as a header carries it
    with caplog.at_level(logging.DEBUG), running("another, a key with spaces and ü ,") as client:
        for path in ("/v1/tasks", "/metrics", "/nowhere", "/v1/tasks/skin"):
            status, content, headers = client.get(path)
            assert (status, headers["www-authenticate"]) == (401, "Bearer"), path
            assert "Authorization: Bearer KEY" in content["detail"]
        for path in ("/healthz", "/readyz", "/openapi.json"):
            assert client.get(path)[0] == 200
        for wrong in ("Bearer a key", "Bearer ", f"Basic {key}", key, "Bearer", "Bearer anothe", "Bearer another,"):
            assert client.send("/predict/", ("a.png", GOOD), field="file", authorization=wrong)[0] == 401, wrong
        for right in (f"Bearer {key}", "bearer another", "Bearer  another "):
            assert client.send("/predict/", ("a.png", GOOD), field="file", authorization=right)[0] == 200, right
    assert "another" not in caplog.text


def test_keys_are_kept_as_hashes_and_none_are_none():
    assert keys.parse("") == keys.parse(" , ,") == []
    assert b"secret" not in keys.parse("secret")[0]
    assert len(keys.parse("a, b,c")) == 3


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("127.8.8.8", True), ("localhost", True)]
    + [(host, False) for host in ("0.0.0.0", "::", "192.168.1.2", "example.org", "", "127.0.0.1.example.org")],
)
def test_only_this_machine_can_reach_a_loopback_address(host, expected):
    assert keys.is_loopback(host) is expected


def command(*arguments, **env):
    return subprocess.run(
        [sys.executable, "-m", "app.api", *arguments], cwd=ROOT, env=os.environ | env, capture_output=True, text=True
    )


def test_a_public_host_without_keys_is_refused():
    for host in ("0.0.0.0", "::"):
        done = command("--host", host, "--port", "0", ASSAY_API_KEYS=" , ")
        assert done.returncode == 2
        assert "can be reached from elsewhere: set ASSAY_API_KEYS" in done.stderr
        assert "or use --without-keys" in done.stderr


def test_a_taken_port_is_one_line_with_the_remedy(server):
    done = command("--port", str(server.port))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"127.0.0.1:{server.port} is not available")
    assert done.stderr.endswith("choose another with --host or --port\n")
    assert len(done.stderr.splitlines()) == 1


# What it is made of


def test_the_app_imports_no_image_and_no_ml_library():
    forbidden = {
        "PIL",
        "cv2",
        "tensorflow",
        "keras",
        "sklearn",
        "ai_edge_litert",
        "joblib",
        "mlflow",
        "dvc",
        "matplotlib",
    }
    serving = forbidden | {"numpy", "pandas"}  # which pages may draw with
    for file in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found = {name.split(".")[0] for name in names}
            assert not found & (forbidden if file.parent.name == "views" else serving), file.name


def test_importing_the_api_loads_no_heavy_library():
    code = "import sys, app.api; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"tensorflow", "keras", "mlflow", "dvc", "pandas", "sklearn", "scipy"} & set(done.stdout.split())


def test_an_answer_is_json_whatever_was_sent(server):
    row = ROW | {"\ud800": "\udfff"}
    status, content, _ = server.rows(row, ROW)
    assert status == 200
    assert "unknown columns: ?" in content["predictions"][0]["reason"]
    assert json.dumps(content)


def test_a_long_reason_is_cut(server):
    _, content, _ = server.rows(ROW | {"x" * 10_000: 1}, ROW)
    assert len(content["predictions"][0]["reason"]) == api.REASON


# Samples


def test_samples_are_stored_only_with_a_key(tmp_path, monkeypatch, program):
    monkeypatch.chdir(tmp_path)
    make_task(program)
    make_project(program)
    old, fresh = one_of("test").read_bytes(), texture(1001)
    path = "/v1/tasks/skin/samples?label=malignant&batch=b1&group=lesion%2077"
    with running() as client:
        assert client.send(path, ("a.png", old))[0] == 403
    with running("secret") as client:
        assert client.send(path, ("a.png", old))[0] == 401
        known = {"authorization": "Bearer secret"}
        status, content, _ = client.send(path, ("a.png", old), ("../b.jpg", stored(fresh)), **known)
        assert (status, content["task"], content["batch"]) == (200, "skin", "b1")
        assert [item["accepted"] for item in content["samples"]] == [False, True]
        assert "of the test set" in content["samples"][0]["reason"]
        status, content, _ = client.send(path, ("b.jpg", stored(fresh)), **known)
        assert (status, content["samples"][0]["accepted"]) == (422, False)
        assert client.send("/v1/tasks/skin/samples?batch=..", ("a.png", old), **known)[0] == 422
        assert client.send("/v1/tasks/nothing/samples", ("a.png", old), **known)[0] == 404
        Path("data/skin/split.csv").unlink()
        assert client.send(path, ("a.png", old), **known)[0] == 503
    (line,) = upload_ledger.samples("skin")
    assert (line.label, line.group, line.batch, line.source) == ("malignant", "lesion 77", "b1", "API")
    assert line.who.startswith("key ")
    assert "secret" not in line.who
