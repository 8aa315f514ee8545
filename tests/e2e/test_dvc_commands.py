"""DVC's own commands, as the README names them, on the real graph; what compares a run to the last is in test_repro.py."""

import json

from tests.helpers.projects import ROOT, Project


def test_metrics_show_lists_out_of_fold_and_test_figures(small):
    shown = json.loads(small.run("dvc", "metrics", "show", "--json").stdout)[""]["data"]
    assert "roc_auc" in shown["reports/lesions/cv/lesions-knn.json"]["data"]
    assert "roc_auc" in shown["reports/breast/test/breast-logreg.json"]["data"]


def test_plots_show_writes_a_page_with_roc_confusion_and_history(clone, tmp_path):
    clone.run("dvc", "plots", "show", "--out", str(tmp_path / "plots"))
    page = (tmp_path / "plots" / "index.html").read_text(encoding="utf-8")
    for kind in ("roc", "confusion", "history"):
        assert f"{kind}_lesions-knn_csv" in page
        assert f"lesions-knn_{kind}.png" in page
        assert (clone.folder / f"reports/lesions/figures/lesions-knn/{kind}.png").read_bytes().startswith(b"\x89PNG")


PIXELS = """
stages:
  made:
    cmd: head -c {} /dev/zero > data/skin/dev_pixels.npy
    outs: [data/skin/dev_pixels.npy]
"""
LINK = "import sys; sys.path.insert(0, sys.argv[1]); from pipeline.repro import link_pixels; link_pixels()"


def test_pixels_are_kept_once_and_made_anew_beside_the_cache(tmp_path):
    project, pixels = Project(tmp_path, warm=True), tmp_path / "data/skin/dev_pixels.npy"
    pixels.parent.mkdir(parents=True)
    project.run("dvc", "init", "--no-scm")
    gone = tmp_path / "data/gone/dev_pixels.npy"  # of a task that is in dvc.yaml no more
    gone.parent.mkdir()
    gone.write_bytes(bytes(2_000_000))
    for size in (2_000_000, 3_000_000):
        (tmp_path / "dvc.yaml").write_text(PIXELS.format(size))
        project.repro()
        assert pixels.stat().st_nlink == 1
        project.run("python", "-c", LINK, str(ROOT))
        assert pixels.stat().st_nlink == 2
        assert project.run("dvc", "status", "--quiet").returncode == 0
    kept = [path.stat().st_size for path in (tmp_path / ".dvc/cache/files").rglob("*") if path.is_file()]
    assert {2_000_000, 3_000_000} <= set(kept)
    assert "type" not in (tmp_path / ".dvc/config").read_text()
    assert gone.read_bytes() == bytes(2_000_000)
    assert gone.stat().st_nlink == 1
