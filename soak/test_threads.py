"""10,000 calls by many threads through every way to a prediction, 100 distinct images: no error, no other image's answer."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app import champions
from benchmarks.figures import Figure, save
from pipeline.prediction.predictor import Predictor
from tests.e2e.test_api import served
from tests.helpers.threads import (
    KeptOpen,
    Outcome,
    ask_at_once,
    asking,
    distinct_images,
    essence,
    mlflow_model,
    mlflow_serving,
)

pytestmark = pytest.mark.filterwarnings("ignore")
CALLS, CONNECTIONS, THREADS = 10_000, 16, 8
TURNS, CALLS_A_TURN = 9, 300


def figures_of(way: str, outcome: Outcome, threads: int) -> list[Figure]:
    """Return errors, other samples' answers and calls per second of one way to a prediction."""
    how = f"of {outcome.calls:,} calls by {threads} threads"
    return [
        Figure(f"{way}: errors", len(outcome.errors), how, at_most=0),
        Figure(f"{way}: other samples' answers", outcome.differences, how, at_most=0),
        Figure(f"{way}: calls/s", outcome.rate, f"{threads} threads"),
    ]


def speed_of(predictors: list[Predictor], images: list[bytes]) -> tuple[float, float]:
    """Return images per second, and processor time per image in ms, with a thread for each of the predictors."""

    def work(loaded: Predictor) -> None:
        for number in range(CALLS_A_TURN):
            loaded.predict(images[number % len(images)], "a")

    threads = [threading.Thread(target=work, args=(loaded,)) for loaded in predictors]
    start, cpu = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    n = len(threads) * CALLS_A_TURN
    return n / (time.perf_counter() - start), (time.process_time() - cpu) / n * 1000


def speed(best: Path, images: list[bytes]) -> list[Figure]:
    """Return what one Predictor for two threads costs against a Predictor for each, by turns: medians of pairs."""
    shared, others = Predictor(best), [Predictor(best), Predictor(best)]
    turns = np.array([(speed_of([shared] * 2, images), speed_of(others, images)) for _ in range(TURNS)])
    (two, two_cpu), (apart, apart_cpu) = np.median(turns, axis=0)
    rate, cpu = np.median(turns[:, 0] / turns[:, 1], axis=0)
    what, turn = "one Predictor for 2 threads against one each", f"median of {TURNS} turns"
    return [
        Figure(f"{what}: images/s", rate, f"{turn}: {two:.0f} against {apart:.0f}"),
        Figure(f"{what}: processor time", cpu, f"{turn}: {two_cpu:.2f} against {apart_cpu:.2f} ms", at_most=1.05),
    ]


def test_no_way_to_a_prediction_mixes_samples_up(small, tmp_path, monkeypatch):
    monkeypatch.chdir(small.folder)
    monkeypatch.setattr("pipeline.core.paths.MONITOR", tmp_path)
    champions.recorder.clear()
    images = distinct_images(100)
    best = small.folder / "models/lesions/best"
    loaded = Predictor(best)
    expected = [essence(loaded.predict(image, "")) for image in images]
    assert len(set(expected)) == len(images)
    breast = Predictor(small.folder / "models/breast/best")
    rows = [{field.name: int(field.default) + n for field in breast.info.schema} for n in range(50)]
    of_rows = [essence(breast.predict(row, "")) for row in rows]

    def through(
        way: str, ask: Callable, threads: int, samples: list = images, answers: list = expected
    ) -> list[Figure]:
        outcome = ask_at_once(ask, samples, answers, CALLS, threads)
        print(way, outcome.errors[:2])
        return figures_of(way, outcome, threads)

    figures = through("Predictor", lambda image: essence(loaded.predict(image, "")), THREADS)
    figures += through("Predictor, rows", lambda row: essence(breast.predict(row, "")), THREADS, rows, of_rows)
    figures += through("MLflow model", asking(mlflow_model(small.folder, "lesions")), THREADS)
    with mlflow_serving(small.folder, "lesions") as server:
        figures += through("mlflow models serve", lambda image: server.invocation({"image": image}), CONNECTIONS)
    with mlflow_serving(small.folder, "breast") as server:
        figures += through("mlflow models serve, whole numbers", server.invocation, CONNECTIONS, rows, of_rows)
    with served(small.folder) as (client, _, _):
        figures += through("API", KeptOpen(client.port).api, CONNECTIONS)
    champion, _ = champions.champion("lesions")
    figures += through("app", lambda image: essence(champion.predict(image, "")), THREADS)
    champions.recorder().flush()
    figures += speed(best, images)
    save("soak_threads", "Many threads at once", figures, command="make soak")
    assert not [figure for figure in figures if not figure.passed]
