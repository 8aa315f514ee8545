"""The section of results: mistakes, classes, sites, external data."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline import holdout, learning_curve, select_best, sites
from pipeline.core import artifacts
from pipeline.reporting import results
from pipeline.reporting.page import render
from tests.helpers.models import KERAS_NOISE, dataset, mixed, train_and_evaluate, write_params
from tests.helpers.reports import MODELS, Page, describe_data

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)


def test_the_most_confident_mistakes_are_listed_in_order(rows):
    study = results.read("t")
    sure = np.where(study.decided == 1, study.proba[:, 1], study.proba[:, 0])
    wrong = [i for i in np.argsort(-sure, kind="stable") if study.decided[i] != study.dev.y[i]]
    page = render("t").partition('<section aria-labelledby="suspects">')[0]
    shown = re.findall(r'<th scope="row">(\d+\.png)</th><td>\w+</td><td>\w+</td><td class="n">(0\.\d+)', page)
    assert shown == [(study.dev.path[i], f"{sure[i]:.3f}") for i in wrong[:12]]
    assert f"{len(wrong)} of 200 development rows were misclassified" in Page(page).text


def test_several_classes_have_a_line_each_and_no_sensitivity(empty_folder):
    models = {"line": {"estimator": "logreg"}}
    write_params(models)
    dataset(*mixed(120, 4)).save(Path("data/t/dev.npz"))
    dataset(*mixed(60, 4, seed=5), folds=0).save(Path("data/t/test.npz"))
    train_and_evaluate(models)
    select_best.main("t")
    learning_curve.main("t")
    holdout.main("t")
    describe_data("table", {"dev": [f"row {n}" for n in range(120)], "test": [f"test {n}" for n in range(60)]})
    text = Page(render("t")).text
    assert "Each class against the rest" in text
    assert "The answer is the most probable class." in text
    assert "Sensitivity" not in text


def test_external_results_are_in_answer_section_and_limits(rows):
    winner = results.read("t").winner
    here = artifacts.read_json(f"reports/t/test/{winner}.json")
    change = {"roc_auc": {"difference": -0.2, "ci": [-0.3, -0.1]}}
    result = here | {
        "roc_auc": 0.612,
        "overlap": {"n": 3, "of": 53, "dev": 3, "test": 0, "excluded": 0},
        "left_out": {"label": 2, "unreadable": 0},
        "change": change,
    }
    artifacts.write_json("reports/t/external/there.json", result)
    folder = Path(f"reports/t/figures/{winner}")
    shutil.copytree(folder, "reports/t/external/there")
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("external: {}", "external: {there: {task: t, raw: x, read: {}}}"))
    text = Page(render("t")).text
    assert "On there (external data): ROC AUC 0.612" in text
    assert "3 of 53 duplicate the task’s own data ( 3 in development, 0 in test" in text.replace("data (3", "data ( 3")
    assert "-0.200 [-0.300 to -0.100]" in text
    assert "the ROC AUC is lower by 0.100 to 0.300 (95 %)" in text
    assert "Not yet tested on external data" not in text


def test_results_by_site_are_in_section_checklist_and_limits(rows):
    assert "No column says where rows come from" in Page(render("t")).text
    write_params(MODELS, subgroups={"age": [50]}, site="site")
    sites.main("t")
    content = artifacts.read_json("reports/t/sites.json")
    winner = results.read("t").winner
    first = content["models"][winner][0]
    first["difference"] = {"roc_auc": -0.1, "ci": [-0.2, -0.05]}
    artifacts.write_json("reports/t/sites.json", content)
    text = Page(render("t")).text
    assert f"{first['roc_auc']:.3f}" in text
    assert "-0.100 [-0.200 to -0.050]" in text
    assert "At a site not seen in training, the ROC AUC is lower by 0.050 to 0.200 (95 %)." in text
    assert "Each model was fitted without each site in turn, and scored on it." in text
