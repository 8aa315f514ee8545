"""Tuning and the importance of columns are described."""

from pathlib import Path

from app.views import model_charts
from pipeline.evaluation.report import Report
from pipeline.training.candidate import Tuned
from tests.helpers.page_projects import champion
from tests.helpers.pages import opened, text_of


def test_a_tuned_model_lists_the_chosen_values():
    tried = [{"C": 0.01, "log_loss": 0.5}, {"C": 1.0, "log_loss": 0.25}]
    tuned = Tuned({"C": 1.0}, by_fold=[{"C": 0.01}, {"C": 1.0}], tried=tried)
    assert model_charts.tuned(Report(tuned=tuned)) == (
        "Selected from 2 candidates: C 1.0. Each fold was scored with the parameters selected on the other folds: C 0.01; C 1.0. "
        "Log loss out of fold of each candidate: C 0.01: 0.500; C 1.0: 0.250."
    )
    assert model_charts.tuned(Report()) == ""


def test_the_importance_of_columns_is_shown_with_its_range(compared):
    page = opened("compare", "t", "One model")
    assert "Importance of columns, out of fold" in text_of(page)
    Path(f"reports/t/figures/{champion()}/importance.csv").unlink()
    assert "Importance of columns" not in text_of(opened("compare", "t", "One model"))
