"""Results in a real MLflow store."""

import io
import json
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml
from PIL import Image

from pipeline.data.images import squares
from pipeline.prediction import bundle
from pipeline.prediction.predictor import Predictor
from pipeline.tracking import brief, mirror
from tests.helpers.tracked import (
    CLASSES,
    SECRET,
    choose,
    client_of,
    make_model,
    make_project,
    marker,
    runs_of,
    start_track,
    state,
    track_in,
)
from tests.helpers.warm_python import warm_python


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with two tasks, tracked; tests only read it."""
    folder = make_project(tmp_path_factory.mktemp("a project, at home"), ("rows", "spots"))
    track_in(folder)
    return folder


def test_each_model_is_a_run_with_parameters_and_metrics(project):
    runs = {run.info.run_name: run for run in runs_of(project)}
    assert runs.keys() == {"rows-a", "rows-b"}
    run = runs["rows-a"]
    assert run.info.status == "FINISHED"
    assert run.data.params.items() >= {"C": "1.0", "deep.x": "null", "seed": "7", "split.folds": "5"}.items()
    figures = {"oof_roc_auc": 0.89, "oof_roc_auc_low": 0.8, "oof_roc_auc_high": 0.95, "test_roc_auc": 0.7}
    assert run.data.metrics == figures | {"train_seconds": 1.5, "loss": 0.5, "val_loss": 1.1}
    history = client_of(project).get_metric_history(run.info.run_id, "loss")
    assert [(result.step, result.value) for result in history] == [(1, 0.9), (2, 0.5)]
    assert "train_seconds" not in runs["rows-b"].data.metrics


def test_a_run_names_its_data_and_where_it_comes_from(project):
    run = next(run for run in runs_of(project) if run.info.run_name == "rows-a")
    data = run.inputs.dataset_inputs[0].dataset
    assert (data.name, data.digest) == ("rows", "ab" * 18)
    assert run.data.tags["content_key"] == marker(project)[0]["content_key"]
    assert run.data.tags.items() >= {"task": "rows", "current": "yes", "champion": "yes"}.items()
    assert len(run.data.tags["train_lock"]) == len(run.data.tags["evaluate_lock"]) == 16


def test_the_marker_lists_every_result_in_order(project):
    assert [(entry["task"], entry["model"]) for entry in marker(project)] == [
        ("rows", "rows-a"),
        ("rows", "rows-b"),
        ("spots", "spots-a"),
        ("spots", "spots-b"),
    ]


def test_the_champion_is_registered_with_signature_and_reason(project, monkeypatch):
    import mlflow

    client = client_of(project)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", client.tracking_uri)
    for task, first in (("rows", "age"), ("spots", "image")):
        result = client.get_model_version_by_alias(task, "champion")
        assert int(result.version) == 1
        assert result.tags.items() >= {"reason": f"{task}-a wins", "rule": "The best."}.items()
        described = mlflow.models.get_model_info(f"models:/{task}@champion")
        assert described.signature.inputs.input_names()[0] == first
        needed = [field.name for field in bundle.read(project / f"models/{task}/best").info.schema if field.is_required]
        assert described.signature.inputs.required_input_names() == ["image"] * (task == "spots") + needed
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


def test_the_registered_model_answers_like_the_predictor_elsewhere(project, tmp_path):
    rows = [{"age": 33.5, "site": "leg"}, {"age": None, "site": ""}, {"age": 80.0, "site": "toe"}]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    file = io.BytesIO()
    Image.fromarray(squares.sample_images()[1]).save(file, format="PNG")
    files = [file.getvalue(), b"no image"]
    pd.DataFrame({"image": files}).to_pickle(tmp_path / "files.pkl")
    arguments = [f"sqlite:///{project}/mlflow/mlflow.db", str(tmp_path / "rows.json"), str(tmp_path / "files.pkl")]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [warm_python(), "-c", LOAD, *arguments],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    content, code = json.loads(done.stdout.splitlines()[-1])
    assert Path(code).is_relative_to(project / "mlflow")
    for task, samples in (("rows", rows), ("spots", files)):
        predictor = Predictor(project / f"models/{task}/best")
        for sample, answer in zip(samples, content[task], strict=True):
            item = predictor.predict(sample, "")
            expected = [item["class"], item["decision"], item["refused"], item["reason"]]
            assert [answer[key] for key in ("class", "decision", "refused", "reason")] == expected
            assert {name: answer[f"proba_{name}"] for name in CLASSES if item["class"]} == item["probabilities"]
    assert content["spots"][1]["refused"] is True


def test_a_second_run_creates_nothing(small, capsys):
    mirror.track()
    before = [(run.info.run_id, run.data.tags) for run in runs_of(small)]
    text = (small / "mlflow/tracked.json").read_bytes()
    capsys.readouterr()
    mirror.track()
    assert capsys.readouterr().err == "track rows: 0 runs created, 2 unchanged; champion rows-a, version 1 of rows\n"
    assert [(run.info.run_id, run.data.tags) for run in runs_of(small)] == before
    assert (small / "mlflow/tracked.json").read_bytes() == text


def test_a_task_that_has_not_run_is_named_and_the_others_mirrored(small, capsys):
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["tasks"]["later"] = content["tasks"]["rows"]
    Path("params.yaml").write_text(yaml.safe_dump(content))
    mirror.track()
    first, second = capsys.readouterr().err.splitlines()
    assert first == "track later: not run yet: assay run later"
    assert second.startswith("track rows: 2 runs created")


def test_the_alias_follows_the_champion_back_and_forth(small):
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


def test_new_results_replace_the_current_run(small):
    mirror.track()
    make_model(small, "rows", "rows-b", C=3.0)
    mirror.track()
    result = {(run.info.run_name, run.data.metrics["oof_roc_auc"]): run.data.tags["current"] for run in runs_of(small)}
    assert result == {("rows-a", 0.89): "yes", ("rows-b", 0.8): "no", ("rows-b", 0.87): "yes"}


def test_a_dvc_experiment_only_adds_runs(small, tmp_path, monkeypatch):
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


def test_an_interrupted_run_is_made_again(small):
    mirror.track()
    client, run = client_of(small), runs_of(small)[0]
    client.set_terminated(run.info.run_id, "FAILED")
    mirror.track()
    result = runs_of(small)
    assert run.info.run_id not in [run.info.run_id for run in result]
    assert [run.info.status for run in result] == ["FINISHED"] * 2


def test_concurrent_and_repeated_tracking_make_the_same_store(project, tmp_path):
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


def test_the_table_of_runs_opens_with_the_best_first():
    assert brief.view("roc_auc", "roc_auc", [])["orderByAsc"] is False
    assert brief.view("log_loss", "log_loss", [])["orderByAsc"] is True
    assert brief.view("f1", "f1_macro", [])["orderByKey"] == "metrics.`oof_f1_macro`"


def test_a_removed_task_leaves_the_store_and_may_return(small):
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
