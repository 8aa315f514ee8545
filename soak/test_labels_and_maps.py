"""On real photos: are flipped labels found as by cleanlab, and do explanations depend on what the model learnt?

The latter is the randomisation test of Adebayo et al. 2018, "Sanity checks for saliency maps": a map that stays the same when the
model's weights, or the labels that it was fitted on, are put in random order shows the image and not the model.
"""

import csv
import json
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from scipy.stats import spearmanr

from benchmarks.figures import Figure, save
from pipeline.core.paths import TaskPaths
from pipeline.data.dataset import Dataset
from pipeline.evaluation import out_of_fold, out_of_fold_charts
from pipeline.prediction import explanation
from pipeline.prediction.predictor import Predictor
from pipeline.training.refit import unfitted
from soak.real_data import DATA, read_labels

FIRST, SHARE, MAPS, MODEL = 60, 0.05, 40, "skin-logreg"
CLEANLAB = """
import json, sys
import numpy as np
from cleanlab.filter import find_label_issues
saved = np.load(sys.argv[1])
print(json.dumps(find_label_issues(saved["y"], saved["proba"], return_indices_ranked_by="self_confidence").tolist()))
"""


def by_cleanlab(folder: Path, y: np.ndarray, proba: np.ndarray) -> list[int]:
    """Return the rows that the package holds to be wrong, the most suspect first; it runs in an environment of its own."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin/python"
    done = subprocess.run(
        [python, "-m", "pip", "install", "-q", "cleanlab"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"cleanlab cannot be installed: {done.stderr.strip().splitlines()[-1]}")
    np.savez(folder / "given.npz", y=y, proba=proba)
    done = subprocess.run([python, "-c", CLEANLAB, folder / "given.npz"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def flip(rows: list[dict[str, str]], rng: np.random.Generator) -> tuple[list[dict[str, str]], set[str]]:
    """Return the rows with a share of the labels flipped, and the paths of these."""
    labels = sorted({row["label"] for row in rows})
    other = dict(zip(labels, labels[::-1], strict=True))
    wrong = {rows[k]["path"] for k in rng.choice(len(rows), round(SHARE * len(rows)), replace=False)}
    return [row | {"label": other[row["label"]]} if row["path"] in wrong else row for row in rows], wrong


def maps(predictor: Predictor, model: object, files: list[bytes]) -> np.ndarray:
    """Return the map of each image (n, positions) by a model of the champion's kind, for the second class."""
    heat = []
    for data in files:
        sample = predictor.load(data, with_map=True)
        heat.append(explanation.of_image(predictor.info, model, sample, lambda pixels: pixels, 1)[1].ravel())
    return np.array(heat)


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mean over images of Spearman's correlation of two maps."""
    return float(np.mean([spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)]))


@pytest.mark.skipif(not DATA.is_dir(), reason="the real data are not here")
def test_flipped_labels_come_first_and_maps_need_the_model(skin_project, tmp_path, monkeypatch):
    rows, wrong = flip(read_labels(DATA), np.random.default_rng(7))
    project = skin_project(rows)
    project.run("dvc", "repro", f"evaluate@{MODEL}", timeout=480)
    monkeypatch.chdir(project.folder)
    oof = out_of_fold.read(MODEL)
    proba = out_of_fold_charts.unseen_proba(oof, out_of_fold.choose_rule(oof))
    dev = Dataset.read("skin", "dev")
    flipped = {path for path in dev.path if path in wrong}
    with TaskPaths("skin").suspects(MODEL).open(encoding="utf-8", newline="") as file:
        ours = [row["path"] for row in csv.DictReader(file)][:FIRST]
    theirs = [dev.path[row] for row in by_cleanlab(tmp_path / "venv", dev.y, proba)][:FIRST]
    hits, of_package = len(flipped & set(ours)), len(flipped & set(theirs))
    by_chance = FIRST * len(flipped) / len(dev.y)
    figures = [
        Figure(
            "flipped labels among the first 60, against cleanlab",
            hits / of_package,
            f"{hits} / {of_package}",
            at_least=0.9,
        ),
        Figure(
            "flipped labels among the first 60, against chance",
            hits / by_chance,
            f"{hits} / {by_chance:.1f}",
            at_least=5,
        ),
    ]
    project.run("dvc", "repro", "select_best@skin", timeout=480)
    predictor, rng = Predictor(TaskPaths("skin").best), np.random.default_rng(7)
    files = [(DATA / path).read_bytes() for path in dev.path[:MAPS]]
    model = joblib.load(TaskPaths("skin").candidate(MODEL) / "model.joblib")
    learnt = maps(predictor, model, files)
    labels = unfitted("skin", MODEL).fit(dev.X("embedding"), rng.permutation(dev.y), dev.group, "random labels", None)
    weights = joblib.load(TaskPaths("skin").candidate(MODEL) / "model.joblib")
    linear = weights[-1] if hasattr(weights, "__getitem__") else weights
    linear.coef_ = rng.permuted(linear.coef_, axis=1)
    for name, random in (("weights", weights), ("labels", labels)):
        value = likeness(learnt, maps(predictor, random, files))
        how = f"Spearman's correlation of maps, mean of {MAPS} photos; 1: the map does not depend on the model"
        figures.append(Figure(f"explanations after random {name}", value, how, at_most=0.5))
    save("soak_labels_and_maps", "Suspect labels, and explanations of random models", figures, command="make soak")
    assert [figure for figure in figures if not figure.passed] == []
