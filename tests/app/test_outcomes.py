"""Classes that became known later are counted over HTTP, shown by week, and nothing of who they are of is kept."""

import json
from datetime import date
from pathlib import Path

import pytest

from app.recorder import today
from tests.helpers.serving import rows_like_training, running

PATH = "/v1/tasks/t/outcomes"


def send(client, *rows):
    body = json.dumps({"rows": rows}).encode()
    return client.ask("POST", PATH, body, **{"Content-Type": "application/json"})


def outcomes_of(client, n):
    """Ask for n answers, and return an outcome of each: it was right, apart from the first."""
    answers = client.rows(*rows_like_training(n), task="t")[1]["predictions"]
    other = {"benign": "malignant", "malignant": "benign"}
    return [
        {
            "id": f"Mrs Smith {number}",
            "label": other[item["class"]] if number == 0 else item["class"],
            "class": item["class"],
            "probability": item["probabilities"]["malignant"],
            "day": str(today()),
        }
        for number, item in enumerate(answers)
    ]


def test_outcomes_become_figures_of_the_week(served_table):
    with running() as client:
        given = outcomes_of(client, 60)
        assert send(client, *given)[1] == {"task": "t", "n": 60, "new": 60}
        assert send(client, *given)[1]["new"] == 0
        week = client.get("/v1/tasks/t/monitor")[1]["performance"][-1]
        page = client.get("/metrics")[1]
    assert week["measured"]["accuracy"]["figure"] == pytest.approx(59 / 60, abs=1e-5)
    assert week["measured"]["accuracy"]["n"] == 60
    low, high = week["estimated"]["accuracy"]["ci"]
    assert 0 <= low < week["estimated"]["accuracy"]["figure"] < high <= 1
    text = page if isinstance(page, str) else page.decode()
    for how in ("estimated", "measured"):
        assert f'figure="accuracy",how="{how}"' in text
    files = [path for path in Path("data/monitor").rglob("*") if path.is_file()]
    assert files
    assert not any(b"Smith" in path.read_bytes() for path in files)


def test_a_csv_is_taken_too(served_table):
    with running() as client:
        body = f"id,label,class,probability,day\n1,benign,benign,0.1,{today()}\n".encode()
        assert client.ask("POST", PATH, body, **{"Content-Type": "text/csv"})[1]["new"] == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"label": "unknown"},
            "outcome 2 of 2: found the label 'unknown'; expected benign or malignant; nothing was counted",
        ),
        ({"day": str(date(2020, 1, 1))}, "expected one of the last 400 days"),
    ],
)
def test_a_wrong_outcome_is_refused_with_all_others(served_table, change, reason):
    row = {"id": "1", "label": "benign", "class": "benign", "probability": 0.1, "day": str(today())}
    with running() as client:
        status, content, _ = send(client, row, row | change)
        assert status == 422
        assert reason in content["detail"]
        assert client.get("/v1/tasks/t/monitor")[1]["performance"][-1]["measured"] == {}
        assert client.ask("POST", PATH, b"x", **{"Content-Type": "text/plain"})[0] == 415
        assert client.ask("POST", "/v1/tasks/nothing/outcomes", b"{}", **{"Content-Type": "application/json"})[0] == 404
