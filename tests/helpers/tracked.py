"""Small trees of results to mirror into MLflow, written by hand: two models per task, the first of them the champion."""

import io
import json
import os
import subprocess
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.linear_model import LogisticRegression

from pipeline.core import artifacts
from pipeline.data import tables
from pipeline.data.images import squares
from pipeline.estimators._prepare import prepared
from pipeline.prediction import bundle
from pipeline.prediction.decision_rule import DecisionRule
from pipeline.tracking import mirror
from tests.helpers.models import write_candidate
from tests.helpers.warm_python import warm_python

ROOT = Path(__file__).parents[2]
CLASSES = ["benign", "malignant"]
SECRET = "patient-4711"  # stands in every file that has a row per sample
ROWS = pd.DataFrame({"age": [40.0, 55.0, np.nan, 71.0] * 5, "site": ["arm", "leg", "", "back"] * 5})
Y = np.array([0, 0, 1, 1] * 5)


def classical_features():
    return np.stack([squares.classical(square) for square in squares.sample_images()])


TASKS = {
    "rows": {"kind": "table", "features": "columns", "X": ROWS, "y": Y},
    "spots": {"kind": "image", "features": "classical", "X": classical_features(), "y": Y[:4]},
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
    (folder / "dvc.lock").write_text(yaml.safe_dump({"stages": {"train@rows-a": entry, "evaluate@rows": entry}}))
    (folder / "logs").mkdir()
    (folder / "logs/timings.jsonl").write_text('{"stage": "train", "key": "rows-a", "seconds": 1.5}\n')
    return folder


def make_model(folder, name, model, C=1.0):
    task = TASKS[name]
    candidate = folder / f"models/{name}/candidates/{model}"
    file = io.BytesIO()
    joblib.dump(prepared(LogisticRegression(C=C)).fit(task["X"], task["y"]), file)
    facts = {"task": name, "model": model, "features": task["features"], "kind": task["kind"]}
    facts["schema"] = tables.schema(ROWS, {}) if task["kind"] == "table" else None
    write_candidate(candidate, {"model.joblib": file.getvalue()}, **facts)
    artifacts.write_bytes(candidate / "oof.npz", SECRET.encode())
    artifacts.write_json(folder / f"models/{name}/decisions/{model}.json", {"threshold": 0.5})
    report = {
        "roc_auc": 0.9 - C / 100,
        "f1": None,
        "ci": {"roc_auc": [0.8, 0.95], "f1": [None, None]},
        "counts": {"n": 20},
    }
    artifacts.write_json(folder / f"reports/{name}/cv/{model}.json", report)
    artifacts.write_json(folder / f"reports/{name}/test/{model}.json", report | {"roc_auc": 0.7})
    plots = folder / f"reports/{name}/plots"
    artifacts.write_bytes(plots / f"history/{model}.csv", b"epoch,loss,val_loss\n1,0.9,1.1\n2,0.5,\n")
    artifacts.write_bytes(folder / f"reports/{name}/figures/{model}/roc.png", b"an image")
    artifacts.write_bytes(plots / f"confusion/{model}.csv", SECRET.encode())


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
    return client_at(folder / "mlflow/mlflow.db")


def client_at(database):
    """Return a client of a store; MLflow takes seconds to import, so no worker does that to collect tests."""
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{database}")


def runs_of(folder, task="rows"):
    client = client_of(folder)
    return client.search_runs([client.get_experiment_by_name(task).experiment_id])


def state(folder):
    """Return what a store says of the runs of `rows`, without its own ids and times."""
    client, figures = client_of(folder), []
    for run in runs_of(folder):
        curve = [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, "loss")]
        figures.append((run.info.run_name, run.data.tags, run.data.params, run.data.metrics, curve))
    return sorted(figures, key=lambda run: run[0])


def start_track(folder):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [warm_python(), "-m", "pipeline.track"]
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)


def marker(folder):
    return json.loads((folder / "mlflow/tracked.json").read_text())
