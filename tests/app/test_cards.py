"""Tasks are listed and described."""

from pathlib import Path

from pipeline.prediction.decision_rule import DecisionRule
from tests.helpers.models import drawn_image
from tests.helpers.serving import ROW, running, until, warn


def test_tasks_are_listed_and_described(server, skin):
    status, content, _ = server.get("/v1/tasks")
    assert status == 200
    assert [task["task"] for task in content["tasks"]] == ["patients", "skin", "whole"]
    described = server.get("/v1/tasks/skin")[1]
    facts = {"task": "skin", "kind": "image", "model": "line", "bundle": skin.id, "classes": ["benign", "malignant"]}
    facts |= {"warning": ""}
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


def test_champion_no_better_than_guessing_says_so(champions_project, work_in_copy):
    work_in_copy(champions_project)
    warning = warn("skin")
    with running() as client:
        until(lambda: client.get("/readyz")[0] == 200, "the server is ready")
        assert client.get("/readyz")[1]["warnings"] == {"skin": warning}
        tasks = {task["task"]: task["warning"] for task in client.get("/v1/tasks")[1]["tasks"]}
        assert tasks == {"patients": "", "skin": warning, "whole": ""}
        _, content, _ = client.send("/v1/tasks/skin/predict", ("a.png", drawn_image(1)))
        assert [item["warning"] for item in content["predictions"]] == [warning]
