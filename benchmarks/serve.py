"""How fast, small and steadfast the API is. Server and load share this machine's cores.

What was chosen over what, by CPU time per request against the bare loop of decoding and LiteRT in the same run (2 cores, 16
connections, a `.keras` champion; on a machine that others used too, so rates were not comparable):

| one process, an event loop on uvloop and httptools, a thread per core | 1.10 | 106 MB | chosen |
| two processes of one thread each on one socket | 1.07 | 147 MB | two queues, two /metrics, two hot swaps |
| 3 or 4 threads | 1.12, 1.15 | 131, 150 MB | |
| asyncio's own loop instead of uvloop | 1.15 | 106 MB | |
| h11 instead of httptools | 1.12 | 108 MB | |
| FastAPI's UploadFile instead of `app.uploads` | 1.21 | 106 MB | and uploads over 1 MB go to disk |

Batches of several images per LiteRT call bring nothing: its cost is linear, and answers would no longer have the same bits.
"""

import argparse
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import psutil

from benchmarks import figures, users
from benchmarks.figures import Figure
from benchmarks.load import request
from pipeline.core import artifacts
from pipeline.core.stage import require
from pipeline.data import litert
from pipeline.data.dataset import Dataset
from pipeline.data.images import decoding
from pipeline.data.images.squares import resize
from pipeline.evaluation.new_data.held_out import predict_images
from pipeline.prediction import batch, bundle, ood_images, self_test
from pipeline.prediction.decision_rule import DecisionRule
from pipeline.prediction.predictor import Predictor

ROOT = Path(__file__).resolve().parents[1]
MODELS = ("lesions-mobilenetv2", "lesions-logreg", "lesions-random_forest", "lesions-knn")
FAST = MODELS[:2]  # whose bars are the higher ones
WEIGHED = {"lesions-mobilenetv2": 250, "lesions-random_forest": 350}  # MB that they may take
N_GOLDEN = 50
CORES = 2
TURNS = 3  # of 2,000 requests


@dataclass
class Server:
    """A server process and how long it took to its first answer, in seconds."""

    process: psutil.Process
    port: int
    start: float

    def tree(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    def cpu(self) -> float:
        """Seconds of processor time so far, of all its processes."""
        return sum(sum(process.cpu_times()[:2]) for process in self.tree())

    def pss(self) -> float:
        """Its memory in MB: pages that several processes share count once."""
        return sum(process.memory_full_info().pss for process in self.tree()) / 1e6


def make_project(folder: Path, model: str) -> Path:
    """Make `folder` a project whose only champion is `model`; return its bundle's folder."""
    best, candidate = folder / "models/lesions/best", Path("models/lesions/candidates") / model
    rule = replace(DecisionRule.read("lesions", model), refusal=np.inf)  # every answer is to be compared
    bundle.write(best, candidate, rule, {})
    bundle.write(best, candidate, rule, {}, self_test.golden_predictions(Predictor(best)))
    sha256 = bundle.read(best).sha256
    artifacts.write_json(folder / "reports/lesions/selection.json", {"bundle": sha256})
    return best


@contextlib.contextmanager
def serving(folder: Path, image: Path) -> Iterator[Server]:
    """Serve the project in `folder` in a process of its own, from the first answer to an image on."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    command = [sys.executable, "-m", "app.api", "--port", "0"]
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        port = int(re.search(rb":(\d+);", process.stdout.readline()).group(1))
        while ask(port, image) is None:
            time.sleep(0.01)
        yield Server(psutil.Process(process.pid), port, time.perf_counter() - start)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def ask(port: int, image: Path) -> dict | None:
    """Return the answer to an image, None where it is not a 200."""
    body = request(image.read_bytes(), port).partition(b"\r\n\r\n")[2]
    headers = {"Content-Type": "multipart/form-data; boundary=assay-load"}
    question = urllib.request.Request(f"http://127.0.0.1:{port}/predict/", body, headers)
    with contextlib.suppress(OSError), urllib.request.urlopen(question) as log:  # a 503 is one, too
        return json.load(log)
    return None


def load(server: Server, image: Path, *options: str) -> dict:
    """Send requests from another process; return what it saw, and the server's CPU time per request in ms."""
    before = server.cpu()
    command = [sys.executable, "-m", "benchmarks.load", str(server.port), str(image), *options]
    seen = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    answered = sum(seen["statuses"].values())
    return seen | {"rate": len(seen["latencies"]) / seen["seconds"], "cpu": (server.cpu() - before) * 1000 / answered}


def bare(best: Path, image: Path, seconds: float = 3) -> dict:
    """Return rate and CPU time per image (ms) of nothing but decoding and LiteRT, on every core, in another process."""
    command = [sys.executable, "-m", "benchmarks.serve", "--bare", str(best), str(image), str(seconds)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def bare_loop(best: Path, image: Path, seconds: float) -> dict:
    """Do what `bare` returns."""
    files, data, done = bundle.read(best).files, image.read_bytes(), []
    program = files.get("model.tflite") or files["embedder.tflite"]

    def work(run: litert.Embedder) -> None:
        count = 0
        while time.perf_counter() < end:
            run(resize(decoding.decode(data).pixels))
            count += 1
        done.append(count)

    threads = [threading.Thread(target=work, args=(litert.Embedder(program),)) for _ in range(CORES)]
    start, cpu = time.perf_counter(), time.process_time()
    end = start + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"rate": sum(done) / (time.perf_counter() - start), "cpu": (time.process_time() - cpu) * 1000 / sum(done)}


def percentile(latencies: list[float], share: float) -> float:
    """Return a percentile of sorted latencies."""
    return latencies[min(len(latencies) - 1, int(share / 100 * len(latencies)))]


def speed(model: str, best: Path, image: Path, server: Server) -> list[Figure]:
    """Return rate, CPU time and p99 at 16 connections, next to the bare loop before and after.

    Among several turns, the one with the highest rate: whatever else a machine does can only slow one down.
    """
    turns, failed = [], 0
    for _ in range(TURNS):
        before = bare(best, image)
        seen = load(server, image, "--requests", "2000")
        after = bare(best, image)
        failed += sum(count for status, count in seen["statuses"].items() if status != "200") + seen["unanswered"]
        turns.append(seen | {f"bare_{name}": (before[name] + after[name]) / 2 for name in before})
    rates = ", ".join(f"{turn['rate']:.0f}" for turn in turns)
    seen = max(turns, key=lambda turn: turn["rate"])
    rate, cpu = seen["bare_rate"], seen["bare_cpu"]
    how = f"2,000 requests, 16 connections, best of {rates}/s; bare loop: {rate:.0f} images/s, {cpu:.1f} ms each"
    return [
        Figure(f"{model}: requests/s", seen["rate"], how, at_least=150 if model in FAST else 70),
        Figure(f"{model}: requests/s against the bare loop", seen["rate"] / rate, how, at_least=0.7),
        Figure(f"{model}: CPU time per request against the bare loop", seen["cpu"] / cpu, how, at_most=1.4),
        Figure(f"{model}: p99", percentile(seen["latencies"], 99), "16 connections", at_most=150, unit="ms"),
        Figure(f"{model}: answers other than 200", failed, "16 connections", at_most=0),
    ]


def memory(model: str, image: Path, server: Server) -> list[Figure]:
    """Return PSS after 8,000 requests more than `speed` has sent, and how much of it came after those."""
    early = server.pss()
    load(server, image, "--requests", "8000")
    late = server.pss()
    return [
        Figure(f"{model}: memory", late, f"PSS after {2 * TURNS + 8},000 requests", at_most=WEIGHED[model], unit="MB"),
        Figure(f"{model}: memory's growth", late - early, "over the last 8,000 of these", at_most=10, unit="MB"),
    ]


def starts(model: str, folder: Path, image: Path) -> list[Figure]:
    """Return the time from the start of the process to the first answer."""
    seconds = []
    for _ in range(3):
        with serving(folder, image) as server:
            seconds.append(server.start)
    bar = 1.5 if model == "lesions-mobilenetv2" else 3
    return [Figure(f"{model}: start to first answer", statistics.median(seconds), "median of 3", at_most=bar, unit="s")]


def overload(image: Path, server: Server) -> list[Figure]:
    """Return what 500 connections that never wait get for a minute, and how long the server takes to recover."""
    idle = statistics.median(timed(server.port, image) for _ in range(20))
    seen = load(server, image, "--connections", "500", "--seconds", "60")
    end = time.perf_counter()
    while timed(server.port, image) > 2 * idle:
        time.sleep(0.05)
    recovered = time.perf_counter() - end
    other = sum(count for status, count in seen["statuses"].items() if status not in ("200", "503"))
    answers = ", ".join(f"{count} with {status}" for status, count in sorted(seen["statuses"].items()))
    how = f"500 connections that ask again at once, 60 s: {answers}"
    failed = other + seen["without_retry"] + seen["unanswered"]
    back = "until a request takes at most twice its idle time"
    return [
        Figure("overload: neither 200 nor 503 with Retry-After", failed, how, at_most=0),
        Figure("overload: requests/s answered with 200", seen["rate"], "the rest is told to come back"),
        Figure("overload: back to normal", recovered, back, at_most=5, unit="s"),
    ]


def timed(port: int, image: Path) -> float:
    """Return the seconds that one answer takes, infinity where it is not a 200."""
    start = time.perf_counter()
    return time.perf_counter() - start if ask(port, image) else float("inf")


def agreement(model: str, best: Path, server: Server) -> list[Figure]:
    """Return the largest difference of a probability between holdout, API and command line, and to Keras."""
    info, raw = bundle.read(best).info, Path("data/demo/lesions")
    sets = [Dataset.load(require(f"data/lesions/{name}.npz", "preprocess@lesions")) for name in ("test", "dev")]
    files = [raw / path for path in np.concatenate([part.path for part in sets])[:N_GOLDEN]]
    predictor = Predictor(best)
    if info.features == "pixels":
        scores = predict_images(np.arange(N_GOLDEN), predictor, files)
    else:
        kind = ood_images.compared_features(info.features)
        X, compared = (
            np.concatenate([part.arrays[name] for part in sets])[:N_GOLDEN] for name in (info.features, kind)
        )
        scores = batch.score_rows(predictor, X, compared)
    holdout = scores.proba.round(6)
    api = np.array([list(ask(server.port, file)["predictions"][0]["probabilities"].values()) for file in files])
    command = [sys.executable, "-m", "pipeline.predict", str(best), *map(str, files), "--format", "json"]
    items = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    cli = np.array([list(item["probabilities"].values()) for item in items])
    largest = max(np.abs(holdout - api).max(), np.abs(holdout - cli).max())
    how = f"largest difference of a probability, {N_GOLDEN} images of the demo"
    measured = [Figure(f"{model}: holdout, API and command line", largest, how, at_most=0)]
    if "model.keras" in info.files:
        from pipeline.estimators._network import load_keras

        squares = np.stack([resize(decoding.decode(file.read_bytes()).pixels) for file in files])
        keras = np.asarray(load_keras(best / "model.keras")(squares, training=False))
        measured.append(Figure(f"{model}: API and Keras", float(np.abs(api - keras).max()), how, at_most=1e-4))
    return measured


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.serve")
    parser.add_argument("--bare", nargs=3, metavar=("BUNDLE", "PICTURE", "SECONDS"), help="the bare loop alone")
    given = parser.parse_args().bare
    if given:
        print(json.dumps(bare_loop(Path(given[0]), Path(given[1]), float(given[2]))))
        return
    measured: list[Figure] = []
    with tempfile.TemporaryDirectory() as scratch:
        image = Path(scratch, "250x172.jpg")
        write_image(image)
        for model in MODELS:
            folder = Path(scratch, model)
            best = make_project(folder, model)
            with serving(folder, image) as server:
                measured += speed(model, best, image, server)
                measured += memory(model, image, server) if model in WEIGHED else []
                measured += agreement(model, best, server)
                if model == MODELS[0]:
                    measured += users.locust(image, server.port) + overload(image, server)
            measured += starts(model, folder, image) if model in WEIGHED else []
            print(figures.table(measured), file=sys.stderr)
    figures.save("serve", "The HTTP API", measured)


def write_image(path: Path) -> None:
    """Write an image of the demo as a JPEG of 250x172 px."""
    from PIL import Image

    with Image.open(require("data/demo/lesions/images/img_0001.jpg", "demo")) as image:
        image.resize((250, 172)).save(path, "JPEG", quality=90)


if __name__ == "__main__":
    main()
