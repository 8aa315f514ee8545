"""Distinct samples asked for by many threads at once, and the ways to a prediction that they are asked through."""

import base64
import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.tracking import mirror
from pipeline.tracking.mlflow_store import SETTINGS
from tests.helpers.models import lesion
from tests.helpers.projects import environment
from tests.helpers.serving import form, until

ANSWER = ("class", "decision", "refused", "reason")


@dataclass
class Outcome:
    """What came of many calls: how many, the errors, how many answers were another sample's, and the seconds in all."""

    calls: int
    seconds: float
    errors: list[str] = field(default_factory=list)
    differences: int = 0

    @property
    def rate(self) -> float:
        """Calls per second."""
        return self.calls / self.seconds


def ask_at_once(
    ask: Callable[[Any], Any], samples: list[Any], expected: list[Any], calls: int, threads: int
) -> Outcome:
    """Ask for the samples in turn, `calls` times in all, from so many threads; compare each answer with `expected`."""

    def is_right(number: int) -> str | bool:
        try:
            return ask(samples[number % len(samples)]) == expected[number % len(samples)]
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        results = list(pool.map(is_right, range(calls)))
    outcome = Outcome(calls, time.perf_counter() - start)
    outcome.errors = [result for result in results if isinstance(result, str)]
    outcome.differences = results.count(False)
    return outcome


def distinct_images(n: int) -> list[bytes]:
    """Return drawn photos of lesions as JPEG files."""
    return [lesion(number) for number in range(1, n + 1)]


def essence(item: dict[str, Any]) -> tuple:
    """Return what of an item every way of asking returns: not the file's name."""
    return *(item[name] for name in ANSWER), tuple(item["probabilities"].values())


def of_mlflow(row: dict[str, Any]) -> tuple:
    """Return `essence` of a row that the MLflow model returns."""
    proba = [value for name, value in row.items() if name.startswith("proba_")]
    return *(row[name] for name in ANSWER), tuple(proba if row["class"] else ())


class KeptOpen:
    """Posts to a server on this machine; each thread keeps its connection open."""

    def __init__(self, port: int):
        self._port, self._of_thread = port, threading.local()

    def post(self, path: str, body: bytes | str, content_type: str, expected: tuple[int, ...] = (200,)) -> Any:
        """Return the JSON of an answer; raise RuntimeError where its status is none of the expected ones."""
        connection = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = self._of_thread.connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.request("POST", path, body, {"Content-Type": content_type})
        answer = connection.getresponse()
        data = answer.read()
        if answer.status not in expected:
            raise RuntimeError(f"{answer.status}: {data[:300]!r}")
        return json.loads(data)

    def api(self, image: bytes) -> tuple:
        """Return the API's answer to an image; a refused one has status 422."""
        content_type = "multipart/form-data; boundary=a-boundary-that-no-file-holds"
        content = self.post("/v1/tasks/lesions/predict", form(("a.jpg", image)), content_type, (200, 422))
        return essence(content["predictions"][0])

    def invocation(self, row: dict[str, Any]) -> tuple:
        """Return the answer of `mlflow models serve` to a row, an image among its cells in Base64."""
        cells = {name: base64.b64encode(v).decode() if isinstance(v, bytes) else v for name, v in row.items()}
        content = {"dataframe_split": {"columns": list(cells), "data": [list(cells.values())]}}
        return of_mlflow(self.post("/invocations", json.dumps(content), "application/json")["predictions"][0])


def mlflow_model(folder: Path, task: str) -> Any:
    """Return a task's registered champion, loaded from the store of the project in `folder`."""
    with mirror.connected(f"sqlite:///{folder}/mlflow/mlflow.db"):
        import mlflow

        return mlflow.pyfunc.load_model(f"models:/{task}@champion")


def asking(model: Any) -> Callable[[bytes], tuple]:
    """Return a function that asks a loaded MLflow model for an image."""
    return lambda image: of_mlflow(model.predict(pd.DataFrame({"image": [image]})).to_dict("records")[0])


@contextlib.contextmanager
def mlflow_serving(folder: Path, task: str) -> Iterator[KeptOpen]:
    """Run `mlflow models serve` on a task's champion in the store of the project in `folder`, far from the project."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--model-uri", f"models:/{task}@champion", "--env-manager", "local", "--port", str(port)]
    clean = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
    uri = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow/mlflow.db"}
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch, "log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", "models", "serve", *options],
                env=clean | SETTINGS | uri,
                cwd=scratch,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            until(lambda: answers(port) or process.poll() is not None, "mlflow models serve answers", 120)
            assert process.poll() is None, log.read_text()
            yield KeptOpen(port)
        finally:
            os.killpg(process.pid, 15)  # it starts uvicorn as a process of its own
            process.wait(20)


def answers(port: int) -> bool:
    """Return whether the server's /ping answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
