"""Do age, sex and body site help in addition to the image, and what does a site cost that a model has not seen?

On the balanced subset of HAM10000 of 1,200 photos from four sites; differences are paired, out of fold.
"""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.figures import DATA as REAL
from benchmarks.figures import Figure, save
from pipeline.core import artifacts
from pipeline.data.dataset import Dataset
from pipeline.evaluation.calibration import out_of_fold
from pipeline.prediction.decision_rule import DecisionRule, calibrate, decide
from pipeline.stats.bootstrap import bootstrap, difference_interval
from soak.real_data import DATA, read_labels

COLUMNS = ["age", "sex", "localization"]
TRIED = ("logreg", "random_forest", "knn")
SHOWN = ("roc_auc", "brier_score_loss")
DRAWS, SEED = 2000, 7


def drawn(folder: Path, model: str, dev: Dataset) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Return a model's figures out of fold, and their paired draws."""
    report = artifacts.read_json(folder / f"reports/skin/cv/{model}.json")
    rule = DecisionRule.read("skin", model, folder)
    raw = np.load(folder / f"models/skin/candidates/{model}/oof.npz")["proba"]
    draws = {}
    for name in SHOWN:
        proba = out_of_fold(dev, raw, rule) if name == "brier_score_loss" else calibrate(raw, rule)
        decided = decide(calibrate(raw, rule), rule)
        draws[name] = bootstrap(dev.y, proba, decided, dev.group, DRAWS, SEED)[name]
    return report, draws


@pytest.mark.skipif(not (REAL / "skin_binary").is_dir(), reason="the real data are not here")
def test_clinical_columns_and_new_sites_are_measured(skin_project):
    project = skin_project(read_labels(DATA))
    folder = project.folder
    models = {name: block for name, block in project.params()["models"].items() if block["task"] != "skin"}
    own = {f"skin-{name}": project.params()["models"][f"skin-{name}"] for name in (*TRIED, "dummy")}
    own |= {f"skin-{name}_columns": own[f"skin-{name}"] | {"features": ["embedding", "columns"]} for name in TRIED}
    project.change(
        models=models | own,
        tasks__skin__models=list(own),
        tasks__skin__preprocess__columns=COLUMNS,
        tasks__skin__select__site="site",
    )
    project.run("dvc", "repro", "holdout@skin", "sites@skin", timeout=3000)
    dev = Dataset.load(folder / "data/skin/dev.npz")
    result, gains = [], {}
    for name in TRIED:
        (alone, before), (both, after) = (drawn(folder, f"skin-{name}{more}", dev) for more in ("", "_columns"))
        for key in SHOWN:
            low, high = difference_interval(after[key], before[key])
            gains[name, key] = both[key] - alone[key], low, high
            how = f"{both[key]:.3f} with, {alone[key]:.3f} without; 95 % interval, paired, {low:+.3f} to {high:+.3f}"
            result.append(Figure(f"{name}: {key}, with age, sex and body site", both[key] - alone[key], how))
        test = [
            artifacts.read_json(folder / f"reports/skin/test/skin-{name}{more}.json")["roc_auc"]
            for more in ("_columns", "")
        ]
        result.append(
            Figure(f"{name}: roc_auc on the test set", test[0] - test[1], f"{test[0]:.3f} with, {test[1]:.3f} without")
        )
    sites = artifacts.read_json(folder / "reports/skin/sites.json")
    for name in ("skin-logreg", "skin-logreg_columns"):
        for row in sites["models"][name]:
            (low, high), (change_low, change_high) = row["ci"]["roc_auc"], row["difference"]["ci"]
            how = (
                f"{row['n']} photos, 95 % interval {low:.3f} to {high:.3f}; out of fold "
                f"{row['out_of_fold']['roc_auc']:.3f}, difference {change_low:+.3f} to {change_high:+.3f}"
            )
            result.append(
                Figure(f"{name.removeprefix('skin-')}: roc_auc, left out: {row['site']}", row["roc_auc"], how)
            )
    title = "Clinical columns, and sites that a model has not seen"
    save("soak_columns", title, result, command="make soak")
    assert all(low <= gain <= high for gain, low, high in gains.values())
    assert gains["logreg", "roc_auc"][1] > 0  # they help
