"""The slider shows the effect of another threshold, and changes nothing."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.core import artifacts
from pipeline.data.dataset import Dataset
from tests.helpers.page_projects import champion
from tests.helpers.pages import opened, text_of


def oof(model):
    return np.load(f"models/t/candidates/{model}/oof.npz")["proba"][:, 1]


def shown(page):
    """Return the four figures next to the slider, as text."""
    return {metric.label: metric.value for metric in page.metric}


def test_more_than_two_classes_have_no_threshold(four_classes, monkeypatch):
    monkeypatch.chdir(four_classes)
    page = opened("compare", "t", "Threshold")
    assert not page.get("select_slider")
    assert "The most probable of 4 classes is the answer: there is no threshold" in text_of(page)


def test_the_slider_starts_at_the_threshold_and_agrees_with_reports(compared):
    page = opened("compare", "t", "Threshold")
    report = artifacts.read_json(f"reports/t/cv/{champion()}.json")
    assert page.select_slider[0].value == 0.5
    assert shown(page)["Sensitivity"] == f"{report['recall']:.3f}"
    assert shown(page)["Specificity"] == f"{report['specificity']:.3f}"
    assert shown(page)["PPV"] == f"{report['precision']:.3f}"  # at the prevalence of the data
    assert shown(page)["NPV"] == f"{report['negative_predictive_value']:.3f}"
    assert "The model decides at 0.5" in text_of(page)


def test_the_slider_counts_out_of_fold_predictions_and_writes_nothing(compared):
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    page = opened("compare", "t", "Threshold")
    y = Dataset.load(Path("data/t/dev.npz")).y
    for threshold in (float(option) for option in page.select_slider[0].options[3::25]):
        page.select_slider[0].set_value(threshold).run()
        assert not page.exception
        called = oof(champion()) >= threshold
        assert shown(page)["Sensitivity"] == f"{called[y == 1].mean():.3f}"
        assert shown(page)["Specificity"] == f"{(~called)[y == 0].mean():.3f}"
        assert f"{called[y == 1].sum()} of {(y == 1).sum()} positives detected" in text_of(page)
    assert "does not change the champion" in text_of(page)
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


def test_the_threshold_never_sees_the_test_set(compared):
    for path in Path("reports/t/test").iterdir():
        path.write_text(path.read_text().replace("0.", "0.1"))
    changed = opened("compare", "t", "Threshold")
    shutil.rmtree("reports/t/test")
    assert shown(opened("compare", "t", "Threshold")) == shown(changed)


def test_predictive_values_follow_the_prevalence_by_bayes_rule(compared):
    page = opened("compare", "t", "Threshold")
    before = shown(page)
    page.number_input[0].set_value(1.0).run()
    row = pd.read_csv(f"reports/t/figures/{champion()}/thresholds.csv").set_index("threshold").loc[0.5]
    true, false = row["sensitivity"] * 10_000 * 0.01, (1 - row["specificity"]) * 10_000 * 0.99  # of 10,000 people
    assert shown(page)["PPV"] == f"{true / (true + false):.3f}"
    assert shown(page)["Sensitivity"] == before["Sensitivity"]
    for extreme in (0.0, 100.0):
        page.number_input[0].set_value(extreme).run()
        assert not page.exception
