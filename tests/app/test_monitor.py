"""What the API says of what it was shown: the same after a restart, and by route and /metrics alike."""

import contextlib
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import recorder
from pipeline.monitoring import drift
from pipeline.prediction.predictor import Predictor
from tests.helpers.serving import Client, rows_like_training, running, until

ROOT = Path(__file__).resolve().parents[2]
SERVE = (
    "import app.recorder, app.api, sys; app.recorder.EVERY = 0.1; sys.argv = ['app.api', '--port', '0']; app.api.main()"
)


def seen(client: Client) -> dict:
    status, content, _ = client.get("/v1/tasks/t/monitor")
    assert status == 200
    return content


@contextlib.contextmanager
def served(stop: int) -> Iterator[Client]:
    """Serve the working folder from a process of its own, which ends with a signal."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE], env={"PYTHONPATH": str(ROOT), "PATH": ""}, stdout=subprocess.PIPE, text=True
    )
    try:
        client = Client(int(re.search(r":(\d+);", process.stdout.readline()).group(1)))
        until(lambda: client.get("/readyz")[0] == 200, "the server is ready")
        yield client
    finally:
        process.send_signal(stop)
        process.wait(20)
        process.stdout.close()


def test_counts_survive_an_ordered_end_and_a_kill(served_table):
    with served(signal.SIGTERM) as client:
        client.rows(*rows_like_training(30), task="t")
        assert seen(client)["counts"]["n"] == 30  # at once
    with served(signal.SIGKILL) as client:
        assert seen(client)["counts"]["n"] == 30
        client.rows(*rows_like_training(40), task="t")
        until(lambda: sum(json.loads(day.read_text())["bundles"][seen(client)["bundle"]]["seconds"][k] for day in
              Path("data/monitor/t").glob("*.json") for k in range(12)) == 70, "the interval is over")  # fmt: skip
    with served(signal.SIGTERM) as client:
        report = seen(client)
        assert report["counts"]["n"] == 70
        assert report["by_day"][-1]["n"] + report["by_day"][-2]["n"] == 70  # at midnight it is two days
        assert report["drift"]["verdict"] == "alike"


def test_the_counts_are_those_of_the_answers(served_table):
    given = [*rows_like_training(20), *rows_like_training(5, older=500), {"age": "old"}]
    loaded = Predictor("models/t/best")
    expected = [loaded.predict(row, "") for row in given]
    with running() as client:
        client.rows(*given, task="t")
        client.rows(*given[:2], task="t")
        report = seen(client)["counts"]
    answers = [item["class"] for item in [*expected, *expected[:2]]]
    assert report["answers"] == {name: answers.count(name) for name in ("benign", "malignant")}
    assert (report["n"], report["refused"], report["unreadable"]) == (27, answers.count("") - 1, 1)
    assert sum(report["distance"]) == 27
    assert sum(report["seconds"]) == 28


def test_other_data_are_noticed_and_said_in_words(served_table):
    with running() as client:
        client.rows(*rows_like_training(200, older=25), task="t")
        report = seen(client)["drift"]
        page = client.get("/metrics")[1].decode()
    assert report["verdict"] == "unlike"
    assert "in column 'age' the served row lies above the training row" in report["sentence"]
    (age,) = (item for item in report["figures"] if (item["of"], item["name"]) == ("place", "age"))
    bundle = Predictor("models/t/best").id

    def value(figure: str, **labels: str) -> float:
        known = ",".join(f'{key}="{text}"' for key, text in sorted({"task": "t", "bundle": bundle, **labels}.items()))
        return float(re.search(rf"^{figure}\{{{re.escape(known)}\}} (\S+)$", page, re.MULTILINE).group(1))

    assert value("assay_week_verdict", verdict="unlike") == 1
    assert value("assay_week_drift", of="place", name="age", end="estimate") == pytest.approx(age["beyond"], abs=1e-6)
    assert value("assay_week_drift", of="place", name="age", end="low") == pytest.approx(age["ci"][0], abs=1e-6)
    total = sum(value("assay_week_samples", outcome=outcome) for outcome in ("answered", "refused", "unreadable"))
    assert total == 200
    assert page.count("assay_week_seconds{") >= 1
    assert not re.search(r" nan$", page, re.IGNORECASE | re.MULTILINE)


def test_categories_that_training_never_saw_are_counted(served_table):
    given = [row | {"site": "neck" if n < 3 else "ARM"} for n, row in enumerate(rows_like_training(10))]
    with running() as client:
        client.rows(*given, task="t")
        counts = seen(client)["counts"]
        page = client.get("/metrics")[1].decode()
    assert counts["new_categories"] == {"site": 3}
    bundle = Predictor("models/t/best").id
    assert f'assay_week_new_categories{{bundle="{bundle}",column="site",task="t"}} 3.0' in page


def test_a_new_champion_starts_at_zero_and_old_days_expire(served_table, monkeypatch):
    first = recorder.today()
    with running() as client:
        client.rows(*rows_like_training(60), task="t")
        monkeypatch.setattr(recorder, "today", lambda: recorder.date.fromordinal(first.toordinal() + drift.DAYS))
        report = seen(client)
        assert report["counts"]["n"] == 0
        assert report["drift"]["verdict"] == "too few"
        assert report["by_day"][-1 - drift.DAYS]["n"] == 60
        assert len(report["by_day"]) == 28


def test_golden_inputs_are_not_counted_and_reading_writes_nothing(served_table):
    with running() as client:
        assert seen(client)["counts"]["n"] == 0
        assert client.get("/v1/tasks/nothing/monitor")[0] == 404
    assert not Path("data/monitor").exists()


def test_a_folder_that_cannot_be_written_costs_no_answer(served_table):
    Path("data/monitor").write_text("a file where the folder should be")
    with running() as client:
        assert client.rows(*rows_like_training(5), task="t")[0] == 200
        assert seen(client)["counts"]["n"] == 5
