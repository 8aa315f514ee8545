"""DVC's own commands, as the README names them, on the real graph."""

import json
import re


def test_metrics_show_lists_out_of_fold_and_test_figures(small):
    shown = json.loads(small.run("dvc", "metrics", "show", "--json").stdout)[""]["data"]
    assert "roc_auc" in shown["reports/lesions/cv/lesions-knn.json"]["data"]
    assert "roc_auc" in shown["reports/breast/test/breast-logreg.json"]["data"]


def test_a_changed_value_shows_in_params_diff_and_metrics_diff(clone):
    clone.run("dvc", "exp", "run", "--set-param", "models.breast-knn.n_neighbors=3", "--name", "three")
    changed = json.loads(clone.run("dvc", "params", "diff", "--json").stdout)
    change = changed["params.yaml"]["models.breast-knn.n_neighbors"]
    assert (change["old"], change["new"]) == (15, 3)
    metrics = set(json.loads(clone.run("dvc", "metrics", "diff", "--json").stdout))
    assert {f"reports/breast/{part}/breast-knn.json" for part in ("cv", "test")} <= metrics
    assert not [path for path in metrics if "lesions" in path]
    shown = clone.run("dvc", "exp", "show", "--csv").stdout
    assert "three" in shown
    assert "models.breast-knn.n_neighbors" in shown


def test_queued_experiments_run_side_by_side_and_are_tracked_in_one_store(clone):
    for number in (5, 9):
        clone.run(
            "dvc",
            "exp",
            "run",
            "--queue",
            "--set-param",
            f"models.breast-knn.n_neighbors={number}",
            "--name",
            f"k{number}",
        )
    clone.run("dvc", "queue", "start", "--jobs", "2")
    for name in ("k5", "k9"):
        clone.run("dvc", "queue", "logs", "--follow", name, ok=False)
    status = clone.run("dvc", "queue", "status").stdout
    assert len(re.findall(r"Success", status)) == 2, status
    found = clone.run("python", "-c", COUNT).stdout.split()
    assert {"5", "9"} <= set(found)


COUNT = """
from mlflow import MlflowClient
client = MlflowClient("sqlite:///mlflow/mlflow.db")
experiment = client.get_experiment_by_name("breast")
runs = client.search_runs([experiment.experiment_id])
print(*[run.data.params["n_neighbors"] for run in runs if run.info.run_name == "breast-knn"])
"""


def test_plots_show_writes_a_page_with_roc_confusion_and_history(clone, tmp_path):
    clone.run("dvc", "plots", "show", "--out", str(tmp_path / "plots"))
    page = (tmp_path / "plots" / "index.html").read_text(encoding="utf-8")
    for kind in ("roc", "confusion", "history"):
        assert f"lesions-knn_{kind}_csv" in page
        assert f"lesions-knn_{kind}.png" in page
        assert (clone.folder / f"reports/lesions/figures/lesions-knn/{kind}.png").read_bytes().startswith(b"\x89PNG")
