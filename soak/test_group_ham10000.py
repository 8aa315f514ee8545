"""Lesions with several photos (HAM10000): is one answer per lesion better than one per photo? Paired, on the same lesions.

Of the lesions with several photos and of those with one, 800 each take part, drawn by lot: the audit of all takes a quarter of an
hour.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from benchmarks.figures import DATA, Figure, save
from pipeline.core import artifacts
from pipeline.data.dataset import Dataset
from pipeline.evaluation import out_of_fold
from pipeline.evaluation.report import read_cv
from pipeline.prediction.decision_rule import DecisionRule, calibrate, decide
from pipeline.stats.bootstrap import bootstrap, difference_interval
from tests.helpers.projects import new_project

MODEL = "ham10000-logreg"
LESIONS = 800  # of either kind
SHOWN = {
    "roc_auc": "ROC AUC, macro",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "log_loss": "log loss",
}


def paired(
    dev: Dataset, raw: np.ndarray, rule: DecisionRule, units: Dataset, pooled: np.ndarray
) -> dict[str, list[float]]:
    """Return the 95 % interval of each figure per lesion minus that per photo, over the same drawn lesions."""
    draws = []
    for data, proba in ((units, calibrate(pooled, rule)), (dev, calibrate(raw, rule))):
        draws.append(bootstrap(data.y, proba, decide(proba, rule), data.group, 1000, 7))
    return {name: difference_interval(draws[0][name], draws[1][name]) for name in SHOWN}


def link_lesions(folder: Path) -> Path:
    """Make a folder of links to the photos of the lesions that take part, with their CSV, and return it."""
    rows = pd.read_csv(DATA / "ham10000/labels.csv", dtype=str, keep_default_na=False)
    photos = rows.groupby("group")["path"].transform("size")
    of_kind = [rows.loc[kind, "group"].drop_duplicates() for kind in (photos > 1, photos == 1)]
    kept = rows[rows["group"].isin(pd.concat([groups.sample(LESIONS, random_state=7) for groups in of_kind]))]
    for path in kept["path"]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).symlink_to(DATA / "ham10000" / path)
    kept.to_csv(folder / "labels.csv", index=False)
    return folder


@pytest.mark.skipif(not (DATA / "ham10000").is_dir(), reason="the real data are not here")
def test_a_lesion_is_answered_no_worse_than_its_photos(tmp_path, monkeypatch):
    project = new_project(tmp_path / "project")
    project.run("python", "-m", "pipeline.init_task", "ham10000", str(link_lesions(tmp_path / "ham10000")))
    params = project.params()
    params["tasks"]["ham10000"]["models"] = [MODEL]
    params["tasks"]["ham10000"]["preprocess"]["pixels"] = False
    params["tasks"]["ham10000"]["select"]["unit"] = "group"
    for name in [name for name in params["models"] if name.startswith("ham10000-") and name != MODEL]:
        del params["models"][name]
    (project.folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    project.run("dvc", "repro", "holdout@ham10000", timeout=3000)
    monkeypatch.chdir(project.folder)
    report, rule, oof = read_cv("ham10000", MODEL), DecisionRule.read("ham10000", MODEL), out_of_fold.read(MODEL)
    units, _ = out_of_fold.read_units(MODEL, rule, report.by_group)
    assert len(units.data.y) == report.by_group.counts.n < len(oof.dev.y)
    ends = paired(oof.dev, oof.raw, rule, units.data, units.raw)
    test = artifacts.read_json(f"reports/ham10000/test/{MODEL}.json")
    measured = []
    for name, words in SHOWN.items():
        group, sample = report.by_group[name], report[name]
        low, high = ends[name]
        how = f"per lesion {group:.3f}, per photo {sample:.3f}; difference {group - sample:+.3f} [{low:+.3f}, {high:+.3f}]"
        how += f"; test {test['by_group'][name]:.3f}, {test[name]:.3f}"
        measured.append(Figure(f"{words}, per lesion minus per photo", group - sample, how))
    sizes = f"{report.by_group.rests_on}; {report.by_group.pooling.chosen}, by fold {', '.join(report.by_group.pooling.by_fold)}"
    measured.append(Figure("photos per lesion, mean", len(oof.dev.y) / report.by_group.counts.n, sizes))
    save("soak_group_ham10000", "Lesions with several photos: one answer per lesion", measured, command="make soak")
    assert ends["log_loss"][0] < 0
