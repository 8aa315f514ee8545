"""DVC's own commands, as the README names them, on the real graph; what compares a run to the last is in test_repro.py."""

import json


def test_metrics_show_lists_out_of_fold_and_test_figures(small):
    shown = json.loads(small.run("dvc", "metrics", "show", "--json").stdout)[""]["data"]
    assert "roc_auc" in shown["reports/lesions/cv/lesions-knn.json"]["data"]
    assert "roc_auc" in shown["reports/breast/test/breast-logreg.json"]["data"]


def test_plots_show_writes_a_page_with_roc_confusion_and_history(clone, tmp_path):
    clone.run("dvc", "plots", "show", "--out", str(tmp_path / "plots"))
    page = (tmp_path / "plots" / "index.html").read_text(encoding="utf-8")
    for kind in ("roc", "confusion", "history"):
        assert f"lesions-knn_{kind}_csv" in page
        assert f"lesions-knn_{kind}.png" in page
        assert (clone.folder / f"reports/lesions/figures/lesions-knn/{kind}.png").read_bytes().startswith(b"\x89PNG")
