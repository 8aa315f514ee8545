"""The HTTP API answers as the Predictor does."""

import ast
import json
import os
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path

import pytest

from app import limits
from pipeline.prediction.predictor import Predictor
from tests.helpers.models import drawn_image
from tests.helpers.serving import GOOD, ROW

ROOT = Path(__file__).parents[2]

KEYS = ["file", "class", "probabilities", "decision", "refused", "reason"]


def test_one_image_is_answered_as_by_the_predictor(server, skin):
    for path in ("/predict/", "/predict"):
        status, content, _ = server.send(path, ("a.png", GOOD), field="file")
        item = skin.predict(GOOD, "a.png")
        assert (status, content["predictions"]) == (200, [item])
        assert (content["task"], content["bundle"]) == ("skin", skin.id)
        assert content["predicted_class"] == item["class"] == "malignant"
        assert content["confidence_score"] == item["probabilities"]["malignant"]


def test_many_images_are_answered_in_their_order(server, skin):
    files = [(f"{seed}.png", drawn_image(seed)) for seed in range(12)]
    status, content, _ = server.send("/v1/tasks/skin/predict", *files)
    assert status == 200
    assert content == {"bundle": skin.id, "task": "skin", "predictions": [skin.predict(d, n) for n, d in files]}
    assert list(content["predictions"][0]) == KEYS


def test_bad_files_get_a_reason_and_good_ones_an_answer(server):
    files = ("good.png", GOOD), ("bad.png", b"no image"), ("empty.png", b"")
    status, content, _ = server.send("/v1/tasks/skin/predict", *files)
    assert status == 200
    assert [item["refused"] for item in content["predictions"]] == [False, True, True]
    assert content["predictions"][1]["reason"].startswith("not a readable image; expected one of JPEG")
    assert content["predictions"][2]["reason"] == "not a readable image (0 bytes)"


def test_a_single_bad_file_is_a_problem_with_the_reason(server):
    status, content, headers = server.send("/predict/", ("bad.png", b"no image"), field="file")
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
    files = ("good.png", GOOD), ("bad.png", b"no image")
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


@pytest.mark.parametrize("path", ["/v1/tasks/nothing", "/v1/tasks/..%2fskin", "/v1/tasks/skin%00", "/v1/tasks/%F0%28"])
def test_an_unknown_task_is_a_404_listing_the_tasks(server, path):
    status, content, _ = server.get(path)
    assert status == 404
    assert "there are: patients, skin" in content["detail"] or "nothing at this path" in content["detail"]


def test_health_names_the_versions_and_readiness_the_bundles(server, skin):
    status, content, _ = server.get("/healthz")
    assert (status, content["status"]) == (200, "ok")
    assert {"assay", "python", "numpy", "ai-edge-litert", "fastapi"} <= set(content["versions"])
    status, content, _ = server.get("/readyz")
    assert (status, content["ready"], content["refused"]) == (200, True, {})
    assert content["tasks"]["skin"] == skin.id


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
            imported = {name.split(".")[0] for name in names}
            assert not imported & (forbidden if file.parent.name == "views" else serving), file.name


def test_importing_the_api_loads_no_heavy_library():
    code = "import sys, app.api; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"tensorflow", "keras", "mlflow", "dvc", "pandas", "sklearn", "scipy"} & set(done.stdout.split())
