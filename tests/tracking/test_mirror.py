"""Tracking: a real MLflow store in a temporary folder, made from a small tree of results."""

import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import joblib
import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml
from filelock import FileLock
from PIL import Image
from sklearn.linear_model import LogisticRegression

from pipeline.core import artifacts
from pipeline.core.errors import StageError
from pipeline.data import images, tables, upload_ledger
from pipeline.estimators._prepare import prepared
from pipeline.prediction import bundle
from pipeline.prediction.decision_rule import DecisionRule
from pipeline.prediction.predictor import Predictor
from pipeline.tracking import mirror, mlflow_store, run_record
from pipeline.tracking.mlflow_store import TrackError

ROOT = Path(__file__).parents[2]
CLASSES = ["benign", "malignant"]
SECRET = "patient-4711"  # stands in every file that has a row per sample
ROWS = pd.DataFrame({"age": [40.0, 55.0, np.nan, 71.0] * 5, "site": ["arm", "leg", "", "back"] * 5})
Y = np.array([0, 0, 1, 1] * 5)


def pictures():
    return np.stack([images.classical(square) for square in images.sample_pictures()])


TASKS = {
    "rows": {"kind": "table", "features": "columns", "X": ROWS, "y": Y},
    "spots": {"kind": "image", "features": "classical", "X": pictures(), "y": Y[:4]},
}


def make_project(folder, names=("rows",)):
    """Write a tree of results as the stages would: two models per task, of which the first is the champion."""
    content = {"seed": 7, "workers": 1, "backbone": {"source": "random"}, "tasks": {}, "models": {}}
    for name in names:
        task, models = TASKS[name], [f"{name}-a", f"{name}-b"]
        blocks = {key: {} for key in ("read", "audit", "split", "preprocess", "select")}
        known = {"kind": task["kind"], "raw": f"data/{name}", "models": models}
        content["tasks"][name] = blocks | known
        for number, model in enumerate(models):
            block = {
                "task": name,
                "estimator": "logreg",
                "features": task["features"],
                "C": 10.0**number,
                "deep": {"x": None},
            }
            content["models"][model] = block
            make_model(folder, name, model, C=10.0**number)
        choose(folder, name, models[0])
    (folder / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    entry = {"cmd": "python", "outs": [{"path": "x", "md5": "1"}]}
    (folder / "dvc.lock").write_text(yaml.safe_dump({"stages": {"train@rows-a": entry, "evaluate@rows-a": entry}}))
    (folder / "logs").mkdir()
    (folder / "logs/timings.jsonl").write_text('{"stage": "train", "key": "rows-a", "seconds": 1.5}\n')
    return folder


def make_model(folder, name, model, C=1.0):
    task = TASKS[name]
    candidate = folder / f"models/{name}/candidates/{model}"
    file = io.BytesIO()
    joblib.dump(prepared(LogisticRegression(C=C)).fit(task["X"], task["y"]), file)
    artifacts.write_bytes(candidate / "model.joblib", file.getvalue())
    described = {
        "task": name,
        "model": model,
        "estimator": "logreg",
        "features": task["features"],
        "kind": task["kind"],
        "classes": CLASSES,
        "positive": "malignant",
        "input": None,
        "versions": {},
        "data_fingerprint": "ab" * 32,
        "files": {"model.joblib": artifacts.sha256(file.getvalue())},
        "schema": tables.schema(ROWS, {}) if task["kind"] == "table" else None,
    }
    artifacts.write_json(candidate / "candidate.json", described)
    artifacts.write_bytes(candidate / "oof.npz", SECRET.encode())
    artifacts.write_json(folder / f"models/{name}/decisions/{model}.json", {"threshold": 0.5})
    report = {"roc_auc": 0.9 - C / 100, "f1": None, "ci": {"roc_auc": [0.8, 0.95], "f1": None}, "counts": {"n": 20}}
    artifacts.write_json(folder / f"reports/{name}/cv/{model}.json", report)
    artifacts.write_json(folder / f"reports/{name}/test/{model}.json", report | {"roc_auc": 0.7})
    plots = folder / f"reports/{name}/plots/{model}"
    artifacts.write_bytes(plots / "history.csv", b"epoch,loss,val_loss\n1,0.9,1.1\n2,0.5,\n")
    artifacts.write_bytes(folder / f"reports/{name}/figures/{model}/roc.png", b"a picture")
    artifacts.write_bytes(plots / "confusion.csv", SECRET.encode())


def choose(folder, name, winner):
    """Make a model the champion, as select_best would."""
    rule = DecisionRule.read(name, winner, folder)
    bundle.write(folder / f"models/{name}/best", folder / f"models/{name}/candidates/{winner}", rule, {})
    selection = {"task": name, "metric": "roc_auc", "winner": winner, "reason": f"{winner} wins", "rule": "The best."}
    artifacts.write_json(folder / f"reports/{name}/selection.json", selection)


def track_in(folder):
    """Track in this process; MLflow keeps connections, so a store must not be deleted and made again this way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        mirror.track()


def client_of(folder):
    return mlflow.MlflowClient(f"sqlite:///{folder}/mlflow/mlflow.db")


def runs_of(folder, task="rows"):
    client = client_of(folder)
    return client.search_runs([client.get_experiment_by_name(task).experiment_id])


def state(folder):
    """Return what a store says of the runs of `rows`, without its own ids and times."""
    client, found = client_of(folder), []
    for run in runs_of(folder):
        curve = [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, "loss")]
        found.append((run.info.run_name, run.data.tags, run.data.params, run.data.metrics, curve))
    return sorted(found, key=lambda run: run[0])


def start_track(folder):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pipeline.track"]
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    for name in ("DVC_ROOT", "DVC_EXP_NAME", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with two tasks, tracked; tests only read it."""
    folder = make_project(tmp_path_factory.mktemp("a project, at home"), ("rows", "spots"))
    track_in(folder)
    return folder


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory):
    """An MLflow database with nothing in it: making one takes seconds, copying it does not."""
    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{path}")
    return path


@pytest.fixture
def small(tmp_path, monkeypatch, empty_store):
    """A project with one task and an empty store; the current folder."""
    folder = make_project(tmp_path / "small")
    monkeypatch.chdir(folder)
    (folder / "mlflow").mkdir()
    shutil.copyfile(empty_store, folder / "mlflow/mlflow.db")
    mlflow_store.finish(mlflow_store.database())
    return folder


def test_each_model_is_a_run_with_its_parameters_metrics_and_curve(project):
    runs = {run.info.run_name: run for run in runs_of(project)}
    assert runs.keys() == {"rows-a", "rows-b"}
    run = runs["rows-a"]
    assert run.info.status == "FINISHED"
    assert run.data.params.items() >= {"C": "1.0", "deep.x": "null", "seed": "7", "split.folds": "5"}.items()
    figures = {"oof_roc_auc": 0.89, "oof_roc_auc_low": 0.8, "oof_roc_auc_high": 0.95, "test_roc_auc": 0.7}
    assert run.data.metrics == figures | {"train_seconds": 1.5, "loss": 0.5, "val_loss": 1.1}
    history = client_of(project).get_metric_history(run.info.run_id, "loss")
    assert [(found.step, found.value) for found in history] == [(1, 0.9), (2, 0.5)]
    assert "train_seconds" not in runs["rows-b"].data.metrics


def test_a_run_names_its_data_and_where_it_comes_from(project):
    run = next(run for run in runs_of(project) if run.info.run_name == "rows-a")
    data = run.inputs.dataset_inputs[0].dataset
    assert (data.name, data.digest) == ("rows", "ab" * 18)
    assert run.data.tags["content_key"] == marker(project)[0]["content_key"]
    assert run.data.tags.items() >= {"task": "rows", "current": "yes", "champion": "yes"}.items()
    assert len(run.data.tags["train_lock"]) == len(run.data.tags["evaluate_lock"]) == 16


def marker(folder):
    return json.loads((folder / "mlflow/tracked.json").read_text())


def test_the_marker_lists_every_result_in_order(project):
    assert [(entry["task"], entry["model"]) for entry in marker(project)] == [
        ("rows", "rows-a"),
        ("rows", "rows-b"),
        ("spots", "spots-a"),
        ("spots", "spots-b"),
    ]


def test_the_champion_is_registered_with_signature_example_and_reason(project, monkeypatch):
    client = client_of(project)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", client.tracking_uri)
    for task, first in (("rows", "age"), ("spots", "image")):
        found = client.get_model_version_by_alias(task, "champion")
        assert (int(found.version), found.description) == (1, f"{task}-a wins.\n\nThe best.")
        described = mlflow.models.get_model_info(f"models:/{task}@champion")
        assert described.signature.inputs.input_names()[0] == first
        assert described.signature.outputs.input_names()[-1] == "proba_malignant"
        assert described.saved_input_example_info is not None


def test_nothing_with_a_row_per_sample_reaches_the_store(project):
    kept = [path for path in (project / "mlflow").rglob("*") if path.is_file()]
    assert {"history.csv", "roc.png", "model.joblib", "mlflow.db"} <= {path.name for path in kept}
    assert not {"confusion.csv", "oof.npz", "samples.csv", "split.csv"} & {path.name for path in kept}
    assert not [path for path in kept if SECRET.encode() in path.read_bytes()]
    assert not [path for path in kept if "__pycache__" in path.parts]


LOAD = """
import json, sys, warnings
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
found = {}
for task, table in (("rows", pd.read_json(sys.argv[2])), ("spots", pd.read_pickle(sys.argv[3]))):
    found[task] = mlflow.pyfunc.load_model(f"models:/{task}@champion").predict(table).to_dict("records")
import pipeline
print(json.dumps([found, pipeline.__file__]))
"""


def test_the_champion_answers_like_the_predictor_in_another_process_far_from_the_project(project, tmp_path):
    rows = [{"age": 33.5, "site": "leg"}, {"age": None, "site": ""}, {"age": 80.0, "site": "toe"}]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    file = io.BytesIO()
    Image.fromarray(images.sample_pictures()[1]).save(file, format="PNG")
    files = [file.getvalue(), b"no picture"]
    pd.DataFrame({"image": files}).to_pickle(tmp_path / "files.pkl")
    arguments = [f"sqlite:///{project}/mlflow/mlflow.db", str(tmp_path / "rows.json"), str(tmp_path / "files.pkl")]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *arguments],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found, code = json.loads(done.stdout.splitlines()[-1])
    assert Path(code).is_relative_to(project / "mlflow")
    for task, samples in (("rows", rows), ("spots", files)):
        predictor = Predictor(project / f"models/{task}/best")
        for sample, answer in zip(samples, found[task], strict=True):
            item = predictor.predict(sample, "")
            expected = [item["class"], item["decision"], item["refused"], item["reason"]]
            assert [answer[key] for key in ("class", "decision", "refused", "reason")] == expected
            assert {name: answer[f"proba_{name}"] for name in CLASSES if item["class"]} == item["probabilities"]
    assert found["spots"][1]["refused"] is True


def test_a_second_run_creates_nothing(small, capsys):
    mirror.track()
    before = [(run.info.run_id, run.data.tags) for run in runs_of(small)]
    text = (small / "mlflow/tracked.json").read_bytes()
    capsys.readouterr()
    mirror.track()
    assert capsys.readouterr().err == "track rows: 0 runs created, 2 unchanged; champion rows-a, version 1\n"
    assert [(run.info.run_id, run.data.tags) for run in runs_of(small)] == before
    assert (small / "mlflow/tracked.json").read_bytes() == text


def test_a_new_champion_takes_the_alias_and_an_old_one_gets_it_back(small):
    mirror.track()
    client = client_of(small)
    choose(small, "rows", "rows-b")
    mirror.track()
    assert int(client.get_model_version_by_alias("rows", "champion").version) == 2
    assert {run.info.run_name: run.data.tags["champion"] for run in runs_of(small)} == {"rows-a": "no", "rows-b": "yes"}
    choose(small, "rows", "rows-a")
    mirror.track()
    assert int(client.get_model_version_by_alias("rows", "champion").version) == 1
    assert len(client.search_model_versions("name = 'rows'")) == 2


def test_new_results_are_a_new_run_and_the_old_one_is_no_longer_current(small):
    mirror.track()
    make_model(small, "rows", "rows-b", C=3.0)
    mirror.track()
    found = {(run.info.run_name, run.data.metrics["oof_roc_auc"]): run.data.tags["current"] for run in runs_of(small)}
    assert found == {("rows-a", 0.89): "yes", ("rows-b", 0.8): "no", ("rows-b", 0.87): "yes"}


def decide(*events: str) -> None:
    """Write decisions about the batch `june` of three samples into the ledger, after a comparison."""
    with upload_ledger.locked("rows"):
        for k in range(3):
            upload_ledger.append(
                "rows", "collected", id=f"{k:016x}", label="benign", group=SECRET, batch="june", who="w", source="s"
            )
        differences = {"roc_auc": [0.01, -0.005, 0.03], "f1": [None, None, None]}
        facts = {"passed": True, "recommendation": "Promote: it is better.", "differences": differences}
        upload_ledger.append("rows", "compared", batch="june", **facts)
        for event in events:
            upload_ledger.append("rows", event, batch="june", who="me", champion="ab" * 32, by="the gate")


def decisions_of(folder) -> list:
    client = client_of(folder)
    found = client.search_runs([client.get_experiment_by_name("rows decisions").experiment_id])
    return sorted(found, key=lambda run: run.info.run_name)


def test_every_decision_is_a_run_of_its_own_experiment_once_and_comes_back_with_a_lost_store(small, empty_store):
    decide("promoted", "rolled back")
    mirror.track_decisions("rows")
    mirror.track_decisions("rows")
    promoted, back = decisions_of(small)
    assert [one.info.run_name for one in (promoted, back)] == ["promoted june", "rolled back june"]
    assert promoted.info.status == "FINISHED"
    assert promoted.data.metrics == {
        "n_samples": 3, "difference_roc_auc": 0.01, "difference_roc_auc_low": -0.005, "difference_roc_auc_high": 0.03,
    }  # fmt: skip
    tags = {
        "decision": "promoted",
        "batch": "june",
        "who": "me",
        "by": "the gate",
        "passed": "yes",
        "champion": "ab" * 32,
    }
    assert promoted.data.tags.items() >= (tags | {"mlflow.note.content": "Promote: it is better."}).items()
    assert client_of(small).get_experiment_by_name("rows") is None  # of models alone
    before = [(one.info.start_time, one.data.tags["content_key"]) for one in (promoted, back)]
    done = start_track(small)  # another process: see `track_in`
    said = done.communicate(timeout=60)[1]
    assert done.returncode == 0, said
    assert [(one.info.start_time, one.data.tags["content_key"]) for one in decisions_of(small)] == before
    assert {one.info.run_name for one in runs_of(small)} == {"rows-a", "rows-b"}
    assert not [
        path for path in (small / "mlflow").rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()
    ]


def test_a_task_that_goes_takes_its_decisions_along(small):
    decide("rejected")
    mirror.track()
    assert len(decisions_of(small)) == 1
    assert mirror.forget("rows")
    client = client_of(small)
    assert client.get_experiment_by_name("rows decisions") is None
    assert client.get_experiment_by_name("rows") is None


def test_an_experiment_in_a_copy_adds_its_runs_and_leaves_today_alone(small, tmp_path, monkeypatch):
    mirror.track()
    copy = shutil.copytree(small, tmp_path / "copy", ignore=shutil.ignore_patterns("mlflow"))
    make_model(copy, "rows", "rows-b", C=3.0)
    choose(copy, "rows", "rows-b")
    monkeypatch.setenv("DVC_ROOT", str(small))
    monkeypatch.setenv("DVC_EXP_NAME", "bold-try")
    track_in(copy)
    tags = [run.data.tags for run in runs_of(small)]
    assert sorted((t["mlflow.runName"], t.get("DVC_EXP_NAME"), t["current"]) for t in tags if "DVC_EXP_NAME" in t) == [
        ("rows-b", "bold-try", "no")
    ]
    assert sorted(t["current"] for t in tags) == ["no", "yes", "yes"]
    assert int(client_of(small).get_model_version_by_alias("rows", "champion").version) == 1
    assert len(marker(copy)) == 2
    assert not (copy / "mlflow/mlflow.db").exists()


def test_a_run_that_was_interrupted_is_made_again(small):
    mirror.track()
    client, run = client_of(small), runs_of(small)[0]
    client.set_terminated(run.info.run_id, "FAILED")
    mirror.track()
    found = runs_of(small)
    assert run.info.run_id not in [run.info.run_id for run in found]
    assert [run.info.status for run in found] == ["FINISHED"] * 2


def test_two_processes_make_one_whole_store_and_a_deleted_one_comes_back_the_same(project, tmp_path):
    other = make_project(tmp_path / "other")
    both = [start_track(other), start_track(other)]
    texts = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], texts
    assert sorted("2 runs created" in text for text in texts) == [False, True]
    with sqlite3.connect(other / "mlflow/mlflow.db") as base:
        assert base.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert base.execute("select count(*) from runs").fetchone() == (2,)
    base.close()
    shutil.rmtree(other / "mlflow")
    track_in(other)
    assert state(other) == state(project)
    assert marker(other) == marker(project)[:2]


def test_a_project_that_was_moved_gets_a_store_that_points_to_its_new_place(project, tmp_path):
    moved = shutil.copytree(project, tmp_path / "moved")
    track_in(moved)
    assert state(moved) == state(project)
    assert all(str(moved) in run.info.artifact_uri for run in runs_of(moved))


def test_a_store_that_another_process_holds_is_reported_in_one_line(small, monkeypatch):
    monkeypatch.setattr(mlflow_store, "LOCK_SECONDS", 0.2)
    with FileLock(small / "mlflow/track.lock"), pytest.raises(TrackError, match="wait for it or end it") as caught:
        mirror.track()
    assert "\n" not in str(caught.value)
    assert not (small / "mlflow/tracked.json").exists()


def test_a_damaged_store_is_reported_with_the_way_out(small):
    (small / "mlflow/mlflow.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(TrackError, match="delete the folder") as caught:
        mirror.track()
    assert "\n" not in str(caught.value)


def test_a_server_out_of_reach_is_reported_in_one_line(small, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TrackError, match="check MLFLOW_TRACKING_URI") as caught:
        mirror.track()
    assert "\n" not in str(caught.value)
    assert os.environ["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:9"


def test_results_that_are_missing_name_the_stage_that_writes_them(small):
    (small / "reports/rows/test/rows-b.json").unlink()
    with pytest.raises(StageError, match="holdout@rows"):
        mirror.track()


def test_only_models_in_the_tasks_list_are_tracked(small):
    make_model(small, "rows", "rows-old")
    assert [shown.model for shown in run_record.read("rows")] == ["rows-a", "rows-b"]


def test_the_content_key_follows_every_file_and_parameter(small):
    def keys():
        return [shown.key for shown in run_record.read("rows")]

    first = keys()
    assert len(set(first)) == 2
    for path in ("reports/rows/cv", "reports/rows/test", "models/rows/decisions"):
        file = small / path / "rows-a.json"
        before = file.read_bytes()
        file.write_bytes(before + b"\n")
        assert keys()[0] != first[0]
        file.write_bytes(before)
    text = (small / "params.yaml").read_text()
    (small / "params.yaml").write_text(text.replace("C: 1.0", "C: 2.0"))
    assert [key == old for key, old in zip(keys(), first, strict=True)] == [False, True]


def test_a_run_names_its_commit_and_whether_parameters_or_code_differ_from_it(small):
    def git(*arguments):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], check=True, capture_output=True
        )

    git("init")
    assert run_record.commit() == {}
    git("add", "params.yaml")
    git("commit", "-m", "first")
    assert run_record.commit()["dirty"] == "no"  # new results do not count: the commit's parameters and code made them
    with (small / "params.yaml").open("a") as file:
        file.write("# changed\n")
    assert run_record.commit()["dirty"] == "yes"
    assert len(run_record.commit()["commit"]) == 40


def test_the_pages_are_announced_per_task_and_a_taken_port_is_refused(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    opened = []
    monkeypatch.setattr(mlflow_store.webbrowser, "open", opened.append)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://server:1/")
    mlflow_store.show({"rows": "/#/a", "spots": "/#/b"}, 5000)
    assert capsys.readouterr().out == "rows: http://server:1/#/a\nspots: http://server:1/#/b\n"
    assert opened == ["http://server:1/#/a"]
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    with mlflow_store.socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(TrackError, match="make ui PORT="):
            mlflow_store.show({"rows": "/#/a"}, taken.getsockname()[1])


def test_the_table_of_runs_opens_with_the_best_first():
    assert mirror.view("roc_auc", "roc_auc")["orderByAsc"] is False
    assert mirror.view("log_loss", "log_loss")["orderByAsc"] is True
    assert mirror.view("f1", "f1_macro")["orderByKey"] == "metrics.`oof_f1_macro`"


def test_a_task_that_is_no_more_is_out_of_the_store_and_may_come_back(small):
    track_in(small)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(small)
        assert mirror.forget("rows") is True
        assert mirror.forget("rows") is False
    assert client_of(small).get_experiment_by_name("rows") is None
    assert not client_of(small).search_registered_models("name = 'rows'")
    assert not (small / "mlflow/artifacts/rows").exists()
    track_in(small)
    assert {run.info.run_name for run in runs_of(small)} == {"rows-a", "rows-b"}
    assert client_of(small).get_model_version_by_alias("rows", "champion")


def test_predictive_values_at_a_named_prevalence_are_metrics_of_the_run():
    named = {"prevalence": 0.02, "precision": 0.11, "negative_predictive_value": None, "ci": {}}
    report = {"roc_auc": 0.9, "ci": {}, "operating_point": {"prevalence": {"data": {}, "named": named}}}
    found = run_record.metrics(report, {"roc_auc": 0.8, "ci": {}, "operating_point": {"prevalence": {"data": {}}}})
    assert found == {"oof_roc_auc": 0.9, "oof_precision_at_prevalence": 0.11, "test_roc_auc": 0.8}
