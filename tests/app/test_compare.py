"""The page Compare shows what the stages wrote, lets one try a threshold, and changes nothing."""

import http.server
import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from app.views import charts, mlflow_page, model_charts
from pipeline import holdout, select_best, sites
from pipeline.core import artifacts
from pipeline.data.audit_result import AuditResult
from pipeline.data.dataset import Dataset
from pipeline.evaluation.report import Report
from pipeline.leaderboard import board
from pipeline.training.candidate import Tuned
from tests import pages
from tests.models import dataset, folder_of, mixed, train_and_evaluate, write_params
from tests.pages import opened, said

MODELS = {"floor": {"estimator": "dummy"}, "line": {"estimator": "logreg"}, "near": {"estimator": "knn"}}


def make(folder, n_classes):
    """Make a project whose test set has been opened, of the task t, in `folder`."""
    with folder_of(folder):
        write_params(MODELS)
        dataset(*mixed(120, n_classes), np.arange(120) // 2).save(Path("data/t/dev.npz"))
        dataset(*mixed(48, n_classes, seed=5), folds=0).save(Path("data/t/test.npz"))
        train_and_evaluate(MODELS)
        select_best.main("t")
        holdout.main("t")
    return folder


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    return make(tmp_path_factory.mktemp("two"), 2)


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    return make(tmp_path_factory.mktemp("four"), 4)


@pytest.fixture
def project(two, tmp_path, monkeypatch):
    """The working folder: a copy of the project of two classes."""
    shutil.copytree(two, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def champion():
    return artifacts.read_json("reports/t/selection.json")["winner"]


def oof(model):
    return np.load(f"models/t/candidates/{model}/oof.npz")["proba"][:, 1]


def shown(page):
    """Return the four figures beside the slider, as text."""
    return {metric.label: metric.value for metric in page.metric}


def test_the_verdict_and_the_leaderboard_are_those_of_the_stages(project):
    page = opened("compare", "t")
    assert f"{artifacts.read_json('reports/t/selection.json')['reason']}." in said(page)
    rows, table = pd.read_csv("reports/t/leaderboard.csv"), pages.table(page, "Rank")
    names = [f"{name} (champion)" if name == champion() else name for name in rows["model"]]
    assert table["Model"].tolist() == names
    assert table["ROC AUC"].tolist() == [f"{value:.3f}" for value in rows["roc_auc"]]
    assert table["Test"].tolist() == [f"{value:.3f}" for value in rows["test_roc_auc"]]
    ends = zip(rows["roc_auc_low"], rows["roc_auc_high"], strict=True)
    assert table["95 % interval"].tolist() == [f"[{low:.3f}, {high:.3f}]" for low, high in ends]


def test_rows_in_clusters_stand_above_the_leaderboard(project):
    path = Path("data/t/audit.json")
    audit = artifacts.read_json(path) if path.exists() else AuditResult().to_json()
    artifacts.write_json(path, audit | {"clusters": {"share": 0.4, "limit": 0.02, "columns": ["a", "b"]}})
    (warning,) = opened("compare", "t").warning
    assert warning.value.replace("\\", "").startswith("Rows come in clusters: 40%")
    assert "Rows come in clusters: 40%" in board("t")


def test_compare_shows_how_often_the_test_set_was_evaluated(project):
    assert "Test set evaluated 3 times or more; with each evaluation" in said(opened("compare", "t"))
    Path("reports/t/test_looks.csv").unlink()
    assert "each evaluation" not in said(opened("compare", "t"))
    Path("reports/t/test_looks.csv").write_text(
        "<<<<<<< HEAD\n"
    )  # a merge gone wrong: the page goes on without the count
    page = opened("compare", "t")
    assert "evaluations is not known: reports/t/test_looks.csv: found the line '<<<<<<< HEAD'" in said(page)
    assert "Reliability, out of fold" in said(page)


def test_notes_of_the_report_and_what_calibration_did_are_said(project):
    path = Path(f"reports/t/cv/{champion()}.json")
    report = artifacts.read_json(path)
    change = report["calibration"] | {"before": {"brier_score_loss": 0.25, "ece": 0.1}}
    change |= {"after": {"brier_score_loss": 0.125, "ece": 0.05}, "method": "sigmoid"}
    artifacts.write_json(path, report | {"notes": ["b: nothing was decided to be this"], "calibration": change})
    text = said(opened("compare", "t"))
    assert "Out of fold: b: nothing was decided to be this" in text
    assert "Probabilities are calibrated (sigmoid): Brier score 0.250 before, 0.125 after." in text
    artifacts.write_json(path, report | {"calibration": change | {"method": "none"}})
    assert "calibration (sigmoid) was tried and not kept" in said(opened("compare", "t"))


@pytest.mark.parametrize("name", ["two", "four"])
def test_every_model_shows_the_figures_of_its_reports(name, request, monkeypatch):
    monkeypatch.chdir(request.getfixturevalue(name))
    page = opened("compare", "t")
    assert page.selectbox[0].value == champion()
    for model in MODELS:
        page.selectbox[0].select(model).run()
        assert not page.exception
        assert not page.info
        cv, test = (artifacts.read_json(f"reports/t/{side}/{model}.json") for side in ("cv", "test"))
        figures = pages.table(page, "Figure").set_index("Figure")
        assert figures.loc["ROC AUC", "Out of fold"] == f"{cv['roc_auc']:.3f}"
        assert figures.loc["Accuracy", "Test"] == f"{test['accuracy']:.3f}"
        assert len(figures) == sum(isinstance(value, float) or value is None for value in cv.values())
        report = pages.table(page, "Recall").set_index("Class")
        assert report["Samples"].to_dict() == {one: of["support"] for one, of in cv["per_class"].items()}
        texts = list(pages.charts(page))
        for side, found in (("out of fold", cv), ("test", test)):
            (matrix,) = (text for text in texts if text.startswith(f"Confusion matrix, {side}"))
            for actual, row in found["counts"]["confusion"].items():
                assert f"of {actual}: " + ", ".join(f"{n} as {decided}" for decided, n in row.items()) in matrix
        assert any(text.startswith("ROC curves of") and text.endswith(f"{model} is bold") for text in texts)
        assert any(text.startswith("Observed share by predicted probability") for text in texts)


def test_more_than_two_classes_have_no_threshold(four, monkeypatch):
    monkeypatch.chdir(four)
    page = opened("compare", "t")
    assert not page.get("select_slider")
    assert "threshold" not in said(page)
    assert "each class against the rest" in said(page)


def test_the_slider_starts_at_the_threshold_and_agrees_with_reports(project):
    page = opened("compare", "t")
    report = artifacts.read_json(f"reports/t/cv/{champion()}.json")
    assert page.select_slider[0].value == 0.5
    assert shown(page)["Sensitivity"] == f"{report['recall']:.3f}"
    assert shown(page)["Specificity"] == f"{report['specificity']:.3f}"
    assert shown(page)["PPV"] == f"{report['precision']:.3f}"  # at the prevalence of the data
    assert shown(page)["NPV"] == f"{report['negative_predictive_value']:.3f}"
    assert "The model decides at 0.5" in said(page)


def test_the_slider_counts_out_of_fold_predictions_and_writes_nothing(project):
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    page = opened("compare", "t")
    y = Dataset.load(Path("data/t/dev.npz")).y
    for at in (float(option) for option in page.select_slider[0].options[3::25]):
        page.select_slider[0].set_value(at).run()
        assert not page.exception
        called = oof(champion()) >= at
        assert shown(page)["Sensitivity"] == f"{called[y == 1].mean():.3f}"
        assert shown(page)["Specificity"] == f"{(~called)[y == 0].mean():.3f}"
        assert f"{called[y == 1].sum()} of {(y == 1).sum()} positives detected" in said(page)
    assert "does not change the champion" in said(page)
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


def test_the_threshold_never_sees_the_test_set(project):
    for path in Path("reports/t/test").iterdir():
        path.write_text(path.read_text().replace("0.", "0.1"))
    changed = opened("compare", "t")
    shutil.rmtree("reports/t/test")
    assert shown(opened("compare", "t")) == shown(changed)


def test_predictive_values_follow_the_prevalence_by_bayes_rule(project):
    page = opened("compare", "t")
    before = shown(page)
    page.number_input[0].set_value(1.0).run()
    row = pd.read_csv(f"reports/t/figures/{champion()}/thresholds.csv").set_index("threshold").loc[0.5]
    true, false = row["sensitivity"] * 10_000 * 0.01, (1 - row["specificity"]) * 10_000 * 0.99  # of 10,000 people
    assert shown(page)["PPV"] == f"{true / (true + false):.3f}"
    assert shown(page)["Sensitivity"] == before["Sensitivity"]
    for extreme in (0.0, 100.0):
        page.number_input[0].set_value(extreme).run()
        assert not page.exception


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        ("reports/t/selection.json", "dvc repro select_best@t"),
        ("reports/t/leaderboard.csv", "dvc repro holdout@t"),
        ("reports/t/cv", "dvc repro evaluate@{}"),
        ("reports/t/test", "dvc repro holdout@t"),
        ("reports/t/plots", "dvc repro evaluate@{}"),
        ("reports/t/figures", "dvc repro evaluate@{}"),
        ("reports", "dvc repro holdout@t"),
    ],
)
def test_of_what_is_missing_the_page_says_what_to_run(project, lost, told):
    name = champion()
    Path(lost).rename("elsewhere")
    assert any(told.format(name) in info.value.replace("\\", "") for info in opened("compare", "t").info)


def test_a_damaged_file_is_named(project):
    Path("reports/t/leaderboard.csv").write_bytes(b"\xff\xfe\x00")
    Path(f"reports/t/cv/{champion()}.json").write_text("{")
    assert "reports/t/leaderboard.csv: cannot be read" in said(opened("compare", "t"))


def test_a_new_run_shows_without_a_restart(project):
    page = opened("compare", "t")
    path = Path("reports/t/selection.json")
    artifacts.write_json(path, artifacts.read_json(path) | {"reason": "line wins by a mile"})
    assert "line wins by a mile." in said(page.run())


def test_long_curves_are_thinned_and_keep_their_ends():
    curve = pd.DataFrame({"fpr": np.arange(9001), "tpr": np.arange(9001)})
    kept = charts.thinned(curve)
    assert len(kept) <= charts.MOST
    assert kept["fpr"].iloc[[0, -1]].tolist() == [0, 9000]


# MLflow


class Store(http.server.BaseHTTPRequestHandler):
    """Answers as MLflow does for the experiment t."""

    def do_GET(self):
        known = self.path.endswith("experiment_name=t")
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(json.dumps({"experiment": {"experiment_id": "17"}} if known else {}).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def store(monkeypatch):
    """A server at the address where `make ui` would be."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(mlflow_page, "LOCAL", f"http://127.0.0.1:{server.server_port}")
        yield server
        server.shutdown()


def links(page):
    return [button.proto.url for button in page.get("link_button")]


def test_a_running_mlflow_server_gets_a_link(project, store, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (url,) = links(opened("compare", "t"))
    assert url.startswith(f"{mlflow_page.LOCAL}/#/experiments/17/runs?")


def test_without_an_mlflow_server_the_page_shows_the_command(project, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(mlflow_page, "LOCAL", "http://127.0.0.1:9")
    page = opened("compare", "t")
    assert links(page) == []
    assert "make ui" in said(page)


def test_a_server_elsewhere_is_linked_and_never_asked(project, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.example.org/")
    monkeypatch.setattr(mlflow_page, "experiment", lambda task: pytest.fail("asked"))
    assert links(opened("compare", "t")) == ["http://mlflow.example.org/#/experiments"]


def test_a_tuned_model_lists_the_chosen_values():
    tried = [{"C": 0.01, "log_loss": 0.5}, {"C": 1.0, "log_loss": 0.25}]
    tuned = Tuned({"C": 1.0}, by_fold=[{"C": 0.01}, {"C": 1.0}], tried=tried)
    assert model_charts.tuned(Report(tuned=tuned)) == (
        "Selected from 2 candidates: C 1.0. Each fold was scored with the parameters selected on the other folds: C 0.01; C 1.0. "
        "Log loss out of fold of each candidate: C 0.01: 0.500; C 1.0: 0.250."
    )
    assert model_charts.tuned(Report()) == ""


def test_the_importance_of_columns_is_shown_with_its_range(project):
    page = opened("compare", "t")
    assert "Importance of columns, out of fold" in said(page)
    Path(f"reports/t/figures/{champion()}/importance.csv").unlink()
    assert "Importance of columns" not in said(opened("compare", "t"))


def test_figures_at_a_new_site_are_shown(project):
    assert "A new site" not in said(opened("compare", "t"))
    write_params(MODELS, site="site")
    sites.main("t")
    page = opened("compare", "t")
    rows = artifacts.read_json("reports/t/sites.json")["models"][champion()]
    shown = pages.table(page, "Left out")
    assert shown["Left out"].tolist() == ["all sites", "arm", "leg", "missing"]
    assert [cell.split()[0] for cell in shown["AUC, left out"]] == [f"{row['roc_auc']:.3f}" for row in rows]
    assert "estimates the loss at a new site" in said(page)
