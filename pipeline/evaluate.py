"""Stage `evaluate@model`: how good a model is on samples it did not see, from out-of-fold predictions only.

Writes `reports/<task>/cv/<model>.json`, the decision `models/<task>/decisions/<model>.json`, and roc, confusion and history:
as CSV, for `dvc plots`, in `reports/<task>/plots/<model>/`, as PNG in `reports/<task>/figures/<model>/`. There, too, are
reliability and coverage, as both, of a table importance, and, of two classes, thresholds.csv.
"""

from dataclasses import asdict, replace

import numpy as np
import pandas as pd

from pipeline.core import artifacts, params
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require, run
from pipeline.data.dataset import Dataset
from pipeline.evaluation import calibration, curves, operating_point, plots, subgroups
from pipeline.evaluation.curves import cases, curve, reliability, thresholds
from pipeline.evaluation.scoring import add_refusals, assess
from pipeline.prediction import decision_rule, ood_images, ood_tables
from pipeline.prediction.decision_rule import DecisionRule
from pipeline.stats import metrics
from pipeline.training.candidate import Candidate


def main(name: str) -> None:
    model = params.model(name)
    task = params.task(model.task)
    folder = require(TaskPaths(model.task).candidate_json(name), f"train@{name}").parent
    dev = Dataset.load(require(TaskPaths(model.task).dev_npz, f"preprocess@{model.task}"))
    saved = np.load(folder / "oof.npz")
    raw, repeats = saved["proba"], len(saved["proba"]) // len(dev.y)
    parts = subgroups.read(model.task, "dev", dev)
    dev, distance = dev.tiled(repeats), np.tile(saved["distance"], repeats)
    select = task.select
    operating_point.check_classes(dev.classes, select.operating_point, model.task)
    chosen, how = calibration.choose(dev, raw, select.draws, params.seed())
    proba = decision_rule.calibrate(raw, DecisionRule(calibration=chosen))
    most = ood_tables.FAR if task.kind == "table" else ood_images.threshold(distance)
    rule = operating_point.choose(dev, proba, select.operating_point)
    rule = replace(rule, calibration=chosen, refusal=artifacts.rounded(most))
    decided = decision_rule.decide(proba, rule)
    report = assess(dev, proba, decided, select.draws, params.seed()) | {"calibration": how}
    unseen = calibration.out_of_fold(dev, raw, rule)
    if chosen != calibration.NONE:
        judged = assess(dev, unseen, decided, select.draws, params.seed())
        report |= {figure: judged[figure] for figure in calibration.SCALED}
        report["ci"] |= {figure: judged["ci"][figure] for figure in calibration.SCALED}
    if repeats > 1:
        report["counts"] |= {"n": len(dev.y) // repeats, "repeats": repeats}
        report["notes"].append(f"each sample was predicted {repeats} times, by models of other folds; all are counted")
    tuned = Candidate.read(folder).tuned
    report |= {"tuned": asdict(tuned)} if tuned else {}
    if dev.positive:
        report["operating_point"] = operating_point.describe(report, rule, select.operating_point.prevalence)
    refused = distance > rule.refusal
    if "beyond" in saved:  # of columns beside a picture
        refused |= np.tile(saved["beyond"], repeats) > ood_tables.FAR
    add_refusals(report, dev, decided, refused)
    subgroups.add(report, parts, dev, (proba, decided), select.draws, params.seed(), repeats)
    history = pd.read_csv(folder / "history.csv").groupby("epoch", as_index=False)[["loss", "val_loss"]].mean()
    numbers, drawn = TaskPaths(model.task).plots(name), TaskPaths(model.task).figures(name)
    artifacts.write_csv(numbers / "roc.csv", curve(dev, proba))
    artifacts.write_csv(numbers / "confusion.csv", cases(dev, decided))
    artifacts.write_csv(numbers / "history.csv", history)
    plots.roc(dev, proba, report["roc_auc"], f"{name}, out of fold", drawn / "roc.png")
    plots.confusion(metrics.confusion(dev.y, decided, len(dev.classes)), dev.classes, name, drawn / "confusion.png")
    plots.history(history, name, drawn / "history.png")
    bins = reliability(dev, unseen)
    artifacts.write_csv(drawn / "reliability.csv", bins)
    plots.reliability(bins, dev.positive, f"{name}, out of fold", drawn / "reliability.png")
    kept = curves.coverage(decided != dev.y, proba[np.arange(len(dev.y)), decided], distance)
    artifacts.write_csv(drawn / "coverage.csv", kept)
    plots.coverage(kept, f"{name}, out of fold", drawn / "coverage.png")
    if (folder / "importance.csv").exists():
        important = pd.read_csv(folder / "importance.csv", dtype={"column": str}, keep_default_na=False)
        artifacts.write_csv(drawn / "importance.csv", important)
        plots.importance(important, f"{name}, out of fold", drawn / "importance.png")
    if dev.positive:
        artifacts.write_csv(drawn / "thresholds.csv", thresholds(dev, proba, rule.threshold))
    artifacts.write_json(TaskPaths(model.task).decision_rule(name), rule.to_json())
    artifacts.write_json(TaskPaths(model.task).cv(name), report)


if __name__ == "__main__":
    run(main)
