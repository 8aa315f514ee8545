"""The page Compare and the report show the figures of samples that are answered together."""

from pathlib import Path

import pytest

from pipeline import learning_curve
from pipeline.evaluation.report import read_cv, read_test
from pipeline.reporting.page import render
from tests.helpers import pages
from tests.helpers.grouped import project
from tests.helpers.pages import opened, text_of
from tests.helpers.reports import Page, describe_data

pytestmark = pytest.mark.usefixtures("fresh_app")


@pytest.fixture
def judged(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    project(Path(), unit="group")
    learning_curve.main("t")
    describe_data("table", {"dev": [f"row {n}" for n in range(150)], "test": [f"test {n}" for n in range(150)]})


def test_both_pages_show_the_figures_per_group(judged):
    report, test = read_cv("t", "line").by_group, read_test("t", "line").by_group
    page = opened("compare", "t")
    assert not page.exception
    board = pages.table(page, "Estimator")
    assert board.loc[0, "ROC AUC by group"] == f"{report['roc_auc']:.3f}"
    assert board.loc[0, "By group, test"] == f"{test['roc_auc']:.3f}"
    page = opened("compare", "t", "One model")
    text = text_of(page).replace("\\", "")
    assert "All figures with one answer per group" in [folded.label for folded in page.expander]
    assert f"Out of fold: {report.rests_on}" in text
    assert f"Samples become one answer by {report.pooling.chosen}" in text
    shown = Page(render("t")).text
    assert "One answer per group" in shown
    assert report.rests_on == "60 groups of 1 to 4 samples, 150 in all"
    assert f"{report['roc_auc']:.3f} {report.ci['roc_auc'][0]:.3f} to" in shown.replace("[", "").replace("]", "")
    assert "The champion, its threshold and its calibration were chosen per group." in shown
