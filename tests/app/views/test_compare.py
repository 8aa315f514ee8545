"""The page Compare shows what the stages wrote."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline import sites
from pipeline.core import artifacts
from pipeline.data.audit_result import AuditResult
from pipeline.leaderboard import board
from tests.helpers import pages
from tests.helpers.models import write_params
from tests.helpers.page_projects import MODELS, champion
from tests.helpers.pages import opened, text_of


def test_the_verdict_and_the_leaderboard_are_those_of_the_stages(compared):
    page = opened("compare", "t")
    assert f"{artifacts.read_json('reports/t/selection.json')['reason']}." in text_of(page)
    rows, table = pd.read_csv("reports/t/leaderboard.csv"), pages.table(page, "Rank")
    names = [f"{name} (champion)" if name == champion() else name for name in rows["model"]]
    assert table["Model"].tolist() == names
    assert table["ROC AUC"].tolist() == [f"{value:.3f}" for value in rows["roc_auc"]]
    assert table["Test"].tolist() == [f"{value:.3f}" for value in rows["test_roc_auc"]]
    ends = zip(rows["roc_auc_low"], rows["roc_auc_high"], strict=True)
    assert table["95 % interval"].tolist() == [f"[{low:.3f}, {high:.3f}]" for low, high in ends]


def test_rows_in_clusters_stand_above_the_leaderboard(compared):
    path = Path("data/t/audit.json")
    audit = artifacts.read_json(path) if path.exists() else AuditResult().to_json()
    artifacts.write_json(path, audit | {"clusters": {"share": 0.4, "limit": 0.02, "columns": ["a", "b"]}})
    (warning,) = opened("compare", "t").warning
    assert warning.value.replace("\\", "").startswith("Rows come in clusters: 40%")
    assert "Rows come in clusters: 40%" in board("t")


def test_compare_shows_how_often_the_test_set_was_evaluated(compared):
    assert "Test set evaluated 3 times or more; with each evaluation" in text_of(opened("compare", "t"))
    Path("reports/t/test_looks.csv").unlink()
    assert "each evaluation" not in text_of(opened("compare", "t"))
    # A merge gone wrong: the page goes on without the count.
    Path("reports/t/test_looks.csv").write_text("<<<<<<< HEAD\n")
    page = opened("compare", "t")
    assert "evaluations is not known: reports/t/test_looks.csv: found the line '<<<<<<< HEAD'" in text_of(page)
    assert "Models are ranked by out-of-fold results" in text_of(page)


def test_notes_of_the_report_and_what_calibration_did_are_said(compared):
    path = Path(f"reports/t/cv/{champion()}.json")
    report = artifacts.read_json(path)
    change = report["calibration"] | {"before": {"brier_score_loss": 0.25, "ece": 0.1}}
    change |= {"after": {"brier_score_loss": 0.125, "ece": 0.05}, "method": "sigmoid"}
    artifacts.write_json(path, report | {"notes": ["b: nothing was decided to be this"], "calibration": change})
    text = text_of(opened("compare", "t", "One model"))
    assert "Out of fold: b: nothing was decided to be this" in text
    assert "Probabilities are calibrated (sigmoid): Brier score 0.250 before, 0.125 after." in text
    artifacts.write_json(path, report | {"calibration": change | {"method": "none"}})
    assert "calibration (sigmoid) was tried and not kept" in text_of(opened("compare", "t", "One model"))


@pytest.mark.parametrize("name", ["two_classes", "four_classes"])
def test_every_model_shows_the_figures_of_its_reports(name, request, monkeypatch):
    monkeypatch.chdir(request.getfixturevalue(name))
    page = opened("compare", "t", "One model")
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
        assert report["Samples"].to_dict() == {item: of["support"] for item, of in cv["per_class"].items()}
        texts = list(pages.charts(page))
        for side, result in (("out of fold", cv), ("test", test)):
            (matrix,) = (text for text in texts if text.startswith(f"Confusion matrix, {side}"))
            for actual, row in result["counts"]["confusion"].items():
                assert f"of {actual}: " + ", ".join(f"{n} as {decided}" for decided, n in row.items()) in matrix
        assert any(text.startswith("ROC curves of") and text.endswith(f"{model} is bold") for text in texts)
        assert any(text.startswith("Observed share by predicted probability") for text in texts)


@pytest.mark.parametrize(("name", "first"), [("two_classes", "Threshold"), ("four_classes", "Leaderboard")])
def test_the_threshold_comes_first_where_there_is_one(name, first, request, monkeypatch):
    monkeypatch.chdir(request.getfixturevalue(name))
    assert opened("compare", "t").tabs[0].label == first


def test_a_new_run_shows_without_a_restart(compared):
    page = opened("compare", "t")
    path = Path("reports/t/selection.json")
    artifacts.write_json(path, artifacts.read_json(path) | {"reason": "line wins by a mile"})
    assert "line wins by a mile." in text_of(page.run())


def test_figures_at_a_new_site_are_shown(compared):
    assert "A new site" not in text_of(opened("compare", "t", "Subgroups"))
    write_params(MODELS, site="site")
    sites.main("t")
    page = opened("compare", "t", "Subgroups")
    rows = artifacts.read_json("reports/t/sites.json")["models"][champion()]
    shown = pages.table(page, "site left out")
    assert shown["site left out"].tolist() == ["all sites", "arm", "leg", "missing"]
    assert [cell.split()[0] for cell in shown["AUC, left out"]] == [f"{row['roc_auc']:.3f}" for row in rows]
    assert "params.yaml names the column site as the place that samples come from" in text_of(page)
