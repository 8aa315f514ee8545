"""DVC's own commands, as the README names them, on the real graph."""

import json


def test_metrics_show_lists_out_of_fold_and_test_figures(small):
    shown = json.loads(small.run("dvc", "metrics", "show", "--json").stdout)[""]["data"]
    assert "roc_auc" in shown["reports/lesions/cv/lesions-knn.json"]["data"]
    assert "roc_auc" in shown["reports/breast/test/breast-logreg.json"]["data"]


def test_a_changed_value_shows_in_params_diff_and_metrics_diff(clone):
    change = ("--set-param", "models.breast-knn.n_neighbors=3", "--name", "three")
    clone.run("dvc", "exp", "run", *change, "holdout@breast")
    changed = json.loads(clone.run("dvc", "params", "diff", "--json").stdout)
    change = changed["params.yaml"]["models.breast-knn.n_neighbors"]
    assert (change["old"], change["new"]) == (15, 3)
    metrics = set(json.loads(clone.run("dvc", "metrics", "diff", "--json").stdout))
    assert {f"reports/breast/{part}/breast-knn.json" for part in ("cv", "test")} <= metrics
    assert not [path for path in metrics if "lesions" in path]
    shown = clone.run("dvc", "exp", "show", "--csv").stdout
    assert "three" in shown
    assert "models.breast-knn.n_neighbors" in shown


def test_plots_show_writes_a_page_with_roc_confusion_and_history(clone, tmp_path):
    clone.run("dvc", "plots", "show", "--out", str(tmp_path / "plots"))
    page = (tmp_path / "plots" / "index.html").read_text(encoding="utf-8")
    for kind in ("roc", "confusion", "history"):
        assert f"lesions-knn_{kind}_csv" in page
        assert f"lesions-knn_{kind}.png" in page
        assert (clone.folder / f"reports/lesions/figures/lesions-knn/{kind}.png").read_bytes().startswith(b"\x89PNG")
