"""Experiments that DVC queues, on raw data that no copy of the project holds."""

import re

from tests.e2e.test_experiments import commit_raw


def test_queued_experiments_run_side_by_side_in_one_store(clone):
    commit_raw(clone)
    for number in (5, 9):
        change = ("--set-param", f"models.breast-knn.n_neighbors={number}", "--name", f"k{number}")
        clone.run("dvc", "exp", "run", "--queue", *change)
    clone.run("dvc", "queue", "start", "--jobs", "2")
    for name in ("k5", "k9"):
        clone.run("dvc", "queue", "logs", "--follow", name, ok=False)
    status = clone.run("dvc", "queue", "status").stdout
    assert len(re.findall(r"Success", status)) == 2, status
    printed = clone.run("python", "-c", COUNT).stdout.split()
    assert {"5", "9"} <= set(printed)


COUNT = """
from mlflow import MlflowClient
client = MlflowClient("sqlite:///mlflow/mlflow.db")
experiment = client.get_experiment_by_name("breast")
runs = client.search_runs([experiment.experiment_id])
print(*[run.data.params["n_neighbors"] for run in runs if run.info.run_name == "breast-knn"])
"""
