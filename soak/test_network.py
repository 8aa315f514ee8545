"""A network that is fine-tuned: killed it goes on to the same bytes; what it is worth on real photos and at other sites."""

import os
import re
import signal
import subprocess
import time

import numpy as np
import pytest

from benchmarks.figures import DATA as REAL
from benchmarks.figures import Figure, save
from pipeline.core import artifacts
from pipeline.data.dataset import Dataset
from pipeline.prediction.decision_rule import DecisionRule, calibrate, decide
from pipeline.stats.bootstrap import bootstrap, difference_interval
from soak.real_data import DATA, read_labels
from tests.helpers.projects import Project, environment

DRAWS, SEED = 2000, 7
TUNED = {"task": "lesions", "estimator": "mobilenetv2", "features": "pixels", "epochs": 3, "learning_rate": 0.001,
         "batch_size": 64, "dropout": 0.5, "class_weight": "balanced",
         "fine_tune": {"from_block": "block_16", "views": 2, "epochs": 3}}  # fmt: skip
FILES = ("model.keras", "model.tflite", "oof.npz", "history.csv")


def bytes_of(project: Project) -> dict[str, bytes]:
    return {name: project.read(f"models/lesions/candidates/lesions-tuned/{name}") for name in FILES}


def test_training_killed_twice_goes_on_to_the_same_bytes(clone):
    content = clone.params()
    clone.change(
        models=content["models"] | {"lesions-tuned": TUNED},
        tasks__lesions__models=[*content["tasks"]["lesions"]["models"], "lesions-tuned"],
        tasks__lesions__preprocess__pixels=True,
    )
    clone.run("dvc", "repro", "preprocess@lesions")
    command, scratch = ["python", "-m", "pipeline.train", "lesions-tuned"], clone.folder / ".cache/training"
    lines = []
    for wanted in ("fold 1: epoch 2/3", "fold 2: epoch 1/3"):
        with subprocess.Popen(
            command, cwd=clone.folder, env=environment(), stderr=subprocess.PIPE, text=True
        ) as process:
            for line in process.stderr:
                lines.append(line)
                if wanted in line:
                    time.sleep(0.1)
                    os.kill(process.pid, signal.SIGKILL)
                    break
    assert any(scratch.rglob("*.npz"))
    after = clone.run(*command).stderr
    assert "goes on after epoch" in "".join(lines) + after
    assert re.search(r"train lesions-tuned: 3 fits will take about \d+ min", after)
    broken = bytes_of(clone)
    assert not any(scratch.rglob("*.np*"))
    clone.run(*command)
    assert bytes_of(clone) == broken


def drawn(project: Project, model: str, dev: Dataset) -> tuple[dict, dict[str, np.ndarray]]:
    """Return a model's report out of fold, and its paired draws."""
    report = artifacts.read_json(project.folder / f"reports/skin/cv/{model}.json")
    rule = DecisionRule.read("skin", model, project.folder)
    proba = calibrate(np.load(project.folder / f"models/skin/candidates/{model}/oof.npz")["proba"], rule)
    return report, bootstrap(dev.y, proba, decide(proba, rule), dev.group, DRAWS, SEED)


@pytest.mark.skipif(not (REAL / "skin_binary").is_dir(), reason="the real data are not here")
def test_the_tuned_network_beats_the_frozen_one(skin_project):
    project = skin_project(read_labels(DATA))
    content = project.params()
    own = {name: content["models"][name] for name in ("skin-logreg", "skin-mobilenetv2")}
    models = {name: block for name, block in content["models"].items() if block["task"] != "skin"}
    project.change(models=models | own, tasks__skin__models=list(own), tasks__skin__select__site="site")
    project.run("dvc", "repro", "preprocess@skin", timeout=1200)
    start = time.monotonic()
    log = project.run("dvc", "repro", "train@skin-mobilenetv2", timeout=3000).stderr
    minutes = (time.monotonic() - start) / 60
    promised = int(re.search(r"fits will take about (\d+) min", log)[1])
    project.run("dvc", "repro", "holdout@skin", "sites@skin", timeout=3000)
    dev = Dataset.load(project.folder / "data/skin/dev.npz")
    (frozen, before), (tuned, after) = (drawn(project, name, dev) for name in own)
    how = f"{minutes:.3g} min taken, {promised} said beforehand"
    figures = [Figure("training, all folds and the final fit, against what was said", minutes / promised, how)]
    gain, (low, high) = tuned["roc_auc"] - frozen["roc_auc"], difference_interval(after["roc_auc"], before["roc_auc"])
    how = f"fine-tuned {tuned['roc_auc']:.3f}, logistic regression {frozen['roc_auc']:.3f}; paired, {low:+.3f} to {high:+.3f}"
    figures.append(Figure("roc_auc out of fold, fine-tuned less frozen", gain, how, at_least=0))
    sites = artifacts.read_json(project.folder / "reports/skin/sites.json")["models"]
    for item, other in zip(*(sites[name] for name in ("skin-mobilenetv2", "skin-logreg")), strict=True):
        ends = item["ci"]["roc_auc"] + other["ci"]["roc_auc"]
        how = "fine-tuned {:.3f} [{:.3f}, {:.3f}], logistic regression {:.3f} [{:.3f}, {:.3f}]"
        how = how.format(item["roc_auc"], *ends[:2], other["roc_auc"], *ends[2:])
        figures.append(Figure(f"roc_auc at a site left out: {item['site']}", item["roc_auc"] - other["roc_auc"], how))
    frozen, tuned = (artifacts.read_json(project.folder / f"reports/skin/test/{name}.json")["roc_auc"] for name in own)
    how = f"fine-tuned {tuned:.3f}, logistic regression {frozen:.3f}"
    figures.append(Figure("roc_auc of the test set", tuned - frozen, how))
    save("soak_network", "Fine-tuning on real photos", figures, command="make soak")
    assert gain > 0
    assert 0.75 < minutes / promised < 1.25
