"""The API next to LitServe and BentoML, which serve the same LiteRT program with two workers to the same client in one run.

The peers decode an image, resize it and run the program; the API also compares it with the training data, calibrates, decides and
counts. They need an environment of their own, whose Python is named in ASSAY_PEERS:

    uv venv peers && uv pip install --python peers/bin/python litserve bentoml ai-edge-litert pillow python-multipart
    ASSAY_PEERS=peers/bin/python python -m benchmarks.peers
"""

import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks import serve
from benchmarks.figures import Figure, ratio, save
from benchmarks.serve import Server
from pipeline.core.stage import require

TURNS, REQUESTS = 3, 500
NETWORK = """
import io
import os
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

class Network:
    def __init__(self):
        self.network = Interpreter(model_path=os.environ["PROGRAM"], num_threads=1)
        self.network.allocate_tensors()
        self.input = self.network.get_input_details()[0]["index"]
        self.output = min(self.network.get_output_details(), key=lambda output: len(output["shape"]))["index"]

    def answer(self, image):
        square = np.asarray(image.convert("RGB").resize((224, 224), Image.Resampling.BILINEAR))
        self.network.set_tensor(self.input, square[None])
        self.network.invoke()
        return {"probabilities": self.network.get_tensor(self.output)[0].tolist()}
"""
LITSERVE = """
import io
import sys
import litserve
from fastapi import Request
from network import Network
from PIL import Image

class Service(litserve.LitAPI):
    def setup(self, device):
        self.network = Network()
    def decode_request(self, request: Request):
        return request["file"].file.read()
    def predict(self, data):
        return self.network.answer(Image.open(io.BytesIO(data)))
    def encode_response(self, output):
        return output

if __name__ == "__main__":
    server = litserve.LitServer(Service(api_path="/predict/"), accelerator="cpu", workers_per_device=2)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="error")
"""
BENTOML = """
import bentoml
from network import Network
from PIL.Image import Image

@bentoml.service(workers=2)
class Service:
    def __init__(self):
        self.network = Network()
    @bentoml.api(route="/predict/")
    def predict(self, file: Image) -> dict:
        return self.network.answer(file)
"""


def free_port() -> int:
    """Return a port that nothing listens to."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def peer(name: str, python: str, folder: Path, program: Path, image: Path) -> Iterator[Server]:
    """Serve the program with a peer, from its first answer on."""
    port = free_port()
    command = {
        "LitServe": [python, "litserve_service.py", str(port)],
        "BentoML": [
            python,
            "-m",
            "bentoml",
            "serve",
            "bentoml_service:Service",
            "--port",
            str(port),
            "--host",
            "127.0.0.1",
        ],
    }[name]
    quiet = {"BENTOML_DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "1", "PROGRAM": str(program)}
    log = (folder / f"{name}.log").open("wb")
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | quiet, stdout=log, stderr=log, start_new_session=True
    )
    try:
        start = time.perf_counter()
        while serve.ask(port, image) is None:
            if process.poll() is not None or time.perf_counter() - start > 300:
                raise RuntimeError(f"{name} does not answer:\n{(folder / f'{name}.log').read_text()}")
            time.sleep(0.2)
        yield Server(psutil.Process(process.pid), port, 0.0)
    finally:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait()
        log.close()


def compare(servers: dict[str, Server], image: Path) -> list[Figure]:
    """Return rate, p99, CPU time and memory of each server, asked by turns, and the API's against theirs."""
    seen: dict[str, list[dict]] = {name: [] for name in servers}
    for _ in range(TURNS):
        for name, server in servers.items():
            seen[name].append(serve.load(server, image, "--requests", str(REQUESTS)))
    rate, cpu = (
        {name: statistics.median(turn[key] for turn in turns) for name, turns in seen.items()}
        for key in ("rate", "cpu")
    )
    shown = []
    for name, turns in seen.items():
        late = statistics.median(serve.percentile(turn["latencies"], 99) for turn in turns)
        failed = sum(count for turn in turns for status, count in turn["statuses"].items() if status != "200")
        how = f"16 connections, {cpu[name]:.3g} CPU ms each, p99 {late:.0f} ms, {servers[name].pss():.0f} MB, {failed} failed"
        shown.append(Figure(f"{name}: requests/s", rate[name], f"median of {TURNS} times {REQUESTS:,}, {how}"))
    for name in servers.keys() - {"Assay"}:
        shown.append(ratio(f"requests/s against {name}", rate["Assay"], rate[name], "/s", at_least=1.1))
        shown.append(ratio(f"CPU time per request against {name}", cpu["Assay"], cpu[name], "ms", at_most=1 / 1.1))
    memory = sum(process.memory_info().rss for process in servers["Assay"].tree()) / 1e6
    shown.append(
        Figure("memory of the API with both champions of the demo", memory, "resident", at_most=200, unit="MB")
    )
    return shown


def main() -> None:
    python = os.environ.get("ASSAY_PEERS", "")
    if not python:
        sys.exit("benchmarks.peers: ASSAY_PEERS names no Python that has litserve and bentoml")
    image = min((require("data/demo", "demo") / "lesions").rglob("*.jpg"))
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        folder = Path(scratch)
        best = serve.make_project(folder, serve.MODELS[0])
        shutil.copytree(require("models/breast/best", "select_best@breast"), folder / "models/breast/best")
        (folder / "reports/breast").mkdir()
        shutil.copy("reports/breast/selection.json", folder / "reports/breast")
        for name, code in (("network", NETWORK), ("litserve_service", LITSERVE), ("bentoml_service", BENTOML)):
            (folder / f"{name}.py").write_text(code, encoding="utf-8")
        servers = {"Assay": stack.enter_context(serve.serving(folder, image))}
        for name in ("LitServe", "BentoML"):
            servers[name] = stack.enter_context(peer(name, python, folder, best / "model.tflite", image))
        shown = compare(servers, image)
    save("peers", "The API next to its peers", shown)


if __name__ == "__main__":
    main()
