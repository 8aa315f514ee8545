"""A project with small champions, and a real server on it: what the tests of the API share."""

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from app import api
from pipeline.core import artifacts, paths
from pipeline.data import litert
from pipeline.data.image_with_columns import ImageWithColumns
from pipeline.data.tables import schema
from pipeline.estimators import logreg
from pipeline.prediction import bundle, self_test
from pipeline.prediction.decision_rule import DecisionRule
from pipeline.prediction.predictor import Predictor
from tests.helpers.models import NAMES, drawn_image, dumped, mixed, square, write_candidate

BOUNDARY = "a-boundary-that-no-file-holds"


def save_candidate(folder: Path, model: Any, task: str, kind: str, features: str, n_classes: int, **own: Any) -> Path:
    """Write a candidate as training does; return its folder."""
    names = NAMES[n_classes]
    facts = {"task": task, "model": folder.name, "kind": kind, "features": features, "classes": names}
    facts["positive"] = names[1] if n_classes == 2 else None
    return write_candidate(folder, {"model.joblib": dumped(model)}, **facts | own)


def crown(task: str, candidate: Path, **changes: Any) -> str:
    """Export a candidate as the task's champion, as the stage `select_best` does; return the bundle's id."""
    best, rule = Path(f"models/{task}/best"), DecisionRule()
    bundle.write(best, candidate, rule, {"roc_auc": 0.9})
    bundle.write(best, candidate, rule, {"roc_auc": 0.9}, self_test.golden_predictions(Predictor(best)))
    select_bundle(task)
    return Predictor(best).id


def select_bundle(task: str) -> None:
    """Let selection.json name the hash of the task's bundle as it is."""
    champion = bundle.read(Path(f"models/{task}/best"))
    selection = {"winner": champion.info.model, "bundle": champion.sha256, "reason": "line wins"}
    artifacts.write_json(f"reports/{task}/selection.json", selection)


def warn(task: str) -> str:
    """Make the task's champion one that is not better than guessing; return the warning."""
    path, warning = Path(f"models/{task}/best/bundle.json"), "not better than guessing: the interval contains 0.5"
    artifacts.write_json(path, artifacts.read_json(path) | {"warning": warning})
    select_bundle(task)
    return warning


def make_project(program: Path) -> None:
    """Make the working folder a project with champions of the image task `skin`, the table task `patients`, and `whole`.

    The last takes age and site with an image. `skin` has a report on a test set that was evaluated seven times.
    """
    artifacts.write_bytes(paths.EMBEDDER, program.read_bytes())
    embed = litert.Embedder(program.read_bytes())
    X, y = np.stack([embed(square(seed)) for seed in range(16)]), np.arange(16) % 2
    for name, c in (("line", 1.0), ("other", 0.01)):
        model = logreg.build(logreg.Params(C=c), 7).fit(X, y)
        save_candidate(Path(f"candidates/{name}"), model, "skin", "image", "embedding", 2)
    table, y = mixed(100)
    known = table[["age", "site"]]
    model = logreg.build(logreg.Params(), 7).fit(
        ImageWithColumns(X, known[:16].reset_index(drop=True)), np.arange(16) % 2
    )
    save_candidate(
        Path("candidates/both"), model, "whole", "image", "embedding+columns", 2, schema=schema(known, {"age": "years"})
    )
    model = logreg.build(logreg.Params(), 7).fit(table, y)
    fields = schema(table, {"age": "years"})
    save_candidate(Path("candidates/rows"), model, "patients", "table", "columns", 2, schema=fields)
    crown("skin", Path("candidates/line"))
    crown("patients", Path("candidates/rows"))
    crown("whole", Path("candidates/both"))
    report = {
        "roc_auc": 0.8,
        "recall": 0.7,
        "specificity": 0.9,
        "ci": {"roc_auc": [0.6, 0.9]},
        "data_fingerprint": "ab",
    }
    artifacts.write_json("reports/skin/test/line.json", report | {"counts": {"n": 30, "n_groups": 20}})
    rows = "".join(f"ab,line,{candidate:016}\n" for candidate in range(7))
    artifacts.write_bytes("reports/skin/test_looks.csv", f"test,model,candidate\n{rows}".encode())


@contextlib.contextmanager
def running(known: str = "", threads: int = 2) -> Iterator["Client"]:
    """Serve the working folder's champions from a thread for as long as the block lasts."""
    server = api.server(api.create_app(threads, api.keys.parse(known)))
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            client = Client(listening.getsockname()[1])
            until(lambda: client.get("/readyz")[0] == 200, "the server is ready")
            yield client
        finally:
            server.should_exit = True
            thread.join()


def until(holds: Any, what: str, seconds: float = 60) -> None:
    """Wait until `holds()`; fail where it does not come true."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.02)


class Client:
    """Asks a server on this machine, a connection for each request."""

    def __init__(self, port: int):
        self.port = port

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, dict[str, str]]:
        """Return status, content (JSON read) and headers of an answer; `content_type="..."` sets that header."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        result = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, json.loads(data) if "json" in result.get("content-type", "") else data, result

    def get(self, path: str, **headers: str) -> tuple[int, Any, dict[str, str]]:
        return self.ask("GET", path, **headers)

    def send(self, path: str, *files: tuple[str, bytes], field: str = "files", **headers: str) -> tuple[int, Any, dict]:
        """Post files, (name, bytes), as a multipart form."""
        content_type = f"multipart/form-data; boundary={BOUNDARY}"
        return self.ask("POST", path, form(*files, field=field), content_type=content_type, **headers)

    def send_with(
        self, path: str, files: list[tuple[str, bytes]], values: list[tuple[str, str]]
    ) -> tuple[int, Any, dict]:
        """Post files and then fields, (name, value), as a multipart form."""
        parts = "".join(
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in values
        )
        content_type = f"multipart/form-data; boundary={BOUNDARY}"
        images, end, rest = form(*files).rpartition(f"--{BOUNDARY}--".encode())
        return self.ask("POST", path, images + parts.encode() + end + rest, content_type=content_type)

    def rows(self, *rows: Any, task: str = "patients", query: str = "") -> tuple[int, Any, dict[str, str]]:
        """Post rows as JSON."""
        body = json.dumps({"rows": rows})
        return self.ask("POST", f"/v1/tasks/{task}/predict{query}", body, content_type="application/json")

    def raw(self, data: bytes, seconds: float = 20) -> bytes:
        """Send bytes as they are and return what comes back until the server closes, or all of one answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            with contextlib.suppress(ConnectionError):  # it may close before all is sent
                connection.sendall(data)
            result = b""
            with contextlib.suppress(ConnectionError):
                while part := connection.recv(65536):
                    result += part
            return result


def form(*files: tuple[str, bytes], field: str = "files") -> bytes:
    """Return a multipart body with files, (name, bytes), under `field`."""
    parts = []
    for name, data in files:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"').encode("utf-8", "surrogatepass")
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="'.encode() + quoted
        parts.append(head + b'"\r\nContent-Type: image/png\r\n\r\n' + data + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def status_and_detail(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head, answer[:300]
    return int(head.split()[1]), body.decode()


def rows_like_training(n: int, older: float = 0, seed: int = 3) -> list[dict]:
    """Return rows like those of training, or of people `older` by some years."""
    table, _ = mixed(n, seed=seed)
    table["age"] += older
    return table.astype(object).where(table.notna(), None).to_dict("records")


GOOD = drawn_image(1)
ROW = {"age": 61.5, "size": 0.2, "site": "arm", "empty": None, "constant": 3}
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
FORM_HEAD = f"POST /predict/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: {MULTIPART}\r\n".encode()
# Of a request that does not end.
UNFINISHED = b"Content-Length: 1000\r\n\r\n" + form(("a.png", b"half"), field="file")[:90]
