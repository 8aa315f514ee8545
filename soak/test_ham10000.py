"""A large public set through the two commands a newcomer types: what is it worth, how long does it take, is it calibrated?"""

import re
import time

import pytest

from benchmarks.figures import DATA, Figure, save
from pipeline.core import artifacts
from tests.helpers.projects import new_project

MODELS = {"fine-tuned": "ham10000-mobilenetv2", "logistic regression": "ham10000-logreg"}


@pytest.mark.skipif(not (DATA / "ham10000").is_dir(), reason="the real data are not here")
def test_calibration_error_on_held_out_lesions_is_small(tmp_path):
    project = new_project(tmp_path)
    project.run("python", "-m", "pipeline.init_task", "ham10000", str(DATA / "ham10000"))
    project.run("dvc", "repro", "preprocess@ham10000", timeout=3000)
    start = time.monotonic()
    log = project.run("dvc", "repro", f"train@{MODELS['fine-tuned']}", timeout=12_000).stderr
    minutes = (time.monotonic() - start) / 60
    promised = int(re.search(r"fits will take about (\d+) min", log)[1])
    project.run("dvc", "repro", "holdout@ham10000", timeout=3000)
    winner = artifacts.read_json(tmp_path / "reports/ham10000/selection.json")["winner"]
    report = artifacts.read_json(tmp_path / f"reports/ham10000/test/{winner}.json")
    how = f"{winner} on {report['counts']['n']} held-out images of {report['counts']['n_groups']} lesions"
    figures = [
        Figure("ham10000: ECE", report["ece"], how, at_most=0.05),
        Figure("training, all folds and the final fit", minutes, f"{promised} min were said beforehand", unit="min"),
    ]
    for key, words, aim in (("roc_auc", "ROC AUC, macro", 0.935), ("accuracy", "accuracy", 0.78)):
        low, high = report["ci"][key]
        figures.append(Figure(f"ham10000: {words}", report[key], f"{how}; {low:.3f} to {high:.3f}", at_least=aim))
        for name, model in MODELS.items():
            cv = artifacts.read_json(tmp_path / f"reports/ham10000/cv/{model}.json")
            low, high = cv["ci"][key]
            figures.append(Figure(f"{words}, out of fold, {name}", cv[key], f"{low:.3f} to {high:.3f}"))
    save("soak_ham10000", "Seven classes of skin lesions", figures, command="make soak")
    assert report["ece"] <= 0.05
