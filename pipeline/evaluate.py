"""Stage `evaluate@model`: how good a model is on samples it did not see, from out-of-fold predictions only.

Writes `reports/<task>/cv/<model>.json`, the decision `models/<task>/decisions/<model>.json`, and roc, confusion and history:
as CSV, for `dvc plots`, in `reports/<task>/plots/<model>/`, as PNG in `reports/<task>/figures/<model>/`. There, too, are
reliability and coverage, as both, of a table importance, and, of two classes, thresholds.csv.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import (
    artifacts,
    calibrate,
    coverage,
    decision,
    familiarity,
    metrics,
    operating_point,
    params,
    plots,
    ranges,
    subgroups,
)
from pipeline.assess import add_refusals, assess
from pipeline.dataset import Dataset
from pipeline.intervals import of_share
from pipeline.stage import require, run

BINS = 10  # of the reliability diagram
THRESHOLDS = 200  # rows of thresholds.csv at most


def curve(data: Dataset, proba: np.ndarray) -> pd.DataFrame:
    """Return a ROC curve as fpr and tpr; of more than two classes the mean over one-vs-rest curves at 101 rates."""
    if data.positive:
        fpr, tpr, _ = metrics.roc_curve(data.y == 1, proba[:, 1])
        return pd.DataFrame({"fpr": fpr, "tpr": tpr})
    grid = np.linspace(0, 1, 101)
    curves = [metrics.roc_curve(data.y == k, proba[:, k])[:2] for k in range(len(data.classes))]
    return pd.DataFrame({"fpr": grid, "tpr": np.mean([np.interp(grid, fpr, tpr) for fpr, tpr in curves], axis=0)})


def cases(data: Dataset, decided: np.ndarray) -> pd.DataFrame:
    """Return a row per sample, actual and decided class, sorted: what DVC's confusion template counts."""
    names = np.array(data.classes)
    return pd.DataFrame({"actual": names[data.y], "decided": names[decided]}).sort_values(["actual", "decided"])


def reliability(data: Dataset, proba: np.ndarray) -> pd.DataFrame:
    """Return a row per bin of predicted probability: predicted (mean), observed (share), low, high, n and n_groups.

    The probability is the positive class's, of more than two classes that of the most probable one; see `metrics.judged`.
    Bins hold equally many samples, so that each says equally much; equal probabilities lie in one bin. `low` and `high` are
    the ends of the 95 % interval of `intervals.of_share`.
    """
    p, true = metrics.judged(data.y[:, None] == np.arange(len(data.classes)), proba)
    edges = metrics.equal_count(p, BINS)
    predicted, observed, n = metrics.reliability(true, p, edges)
    where = metrics.place(p, edges)
    n_groups = np.array([len(set(data.group[where == k])) for k in range(len(n))])
    low, high = np.transpose([of_share(true[where == k], data.group[where == k]) for k in range(len(n))])
    table = {"predicted": predicted, "observed": observed, "low": low, "high": high, "n": n, "n_groups": n_groups}
    return pd.DataFrame(table)[n > 0]


def thresholds(data: Dataset, proba: np.ndarray, used: float) -> pd.DataFrame:
    """Return what each threshold makes of two classes, rising: threshold, in_use ("yes" of the one that is `used`), tp,
    fp, fn, tn, and of sensitivity and specificity the value and, as _low and _high, the 95 % interval of `intervals.of_share`.

    The thresholds are the probabilities that occur, at four decimals, and the one that is `used`; of more than `THRESHOLDS`
    as many are kept, evenly by rank. Every row is exact: positive is who has `proba >= threshold`.
    """
    p, positive = proba[:, 1].astype(np.float64), data.y == 1
    found = np.unique(np.floor(p * 10_000) / 10_000)
    kept = np.linspace(0, len(found) - 1, THRESHOLDS - 1).round().astype(int)
    at = np.union1d(found[kept], [used])
    called = p >= at[:, None]
    tp, fp = (called & positive).sum(axis=1), (called & ~positive).sum(axis=1)
    fn, tn = positive.sum() - tp, (~positive).sum() - fp
    in_use = np.where(at == used, "yes", "")
    table = pd.DataFrame({"threshold": at, "in_use": in_use, "tp": tp, "fp": fp, "fn": fn, "tn": tn})
    for name, right, side in (("sensitivity", called, positive), ("specificity", ~called, ~positive)):
        table[name] = right[:, side].mean(axis=1)
        ends = [of_share(row[side], data.group[side]) for row in right]
        table[f"{name}_low"], table[f"{name}_high"] = np.transpose(ends)
    return table


def main(name: str) -> None:
    model = params.model(name)
    task = params.task(model.task)
    folder = require(f"models/{model.task}/candidates/{name}/candidate.json", f"train@{name}").parent
    dev = Dataset.load(require(f"data/{model.task}/dev.npz", f"preprocess@{model.task}"))
    saved = np.load(folder / "oof.npz")
    raw, repeats = saved["proba"], len(saved["proba"]) // len(dev.y)
    parts = subgroups.read(model.task, "dev", dev)
    dev, distance = dev.tiled(repeats), np.tile(saved["distance"], repeats)
    select = task.select
    operating_point.check_classes(dev.classes, select.operating_point, model.task)
    calibration, how = calibrate.choose(dev, raw, select.draws, params.seed())
    proba = decision.calibrate(raw, {"calibration": calibration})
    rule = {"calibration": calibration} | operating_point.choose(dev, proba, select.operating_point)
    most = ranges.FAR if task.kind == "table" else familiarity.threshold(distance)
    rule["refusal"] = {"threshold": artifacts.rounded(most)}
    decided = decision.decide(proba, rule)
    report = assess(dev, proba, decided, select.draws, params.seed()) | {"calibration": how}
    unseen = calibrate.out_of_fold(dev, raw, rule)
    if calibration != calibrate.NONE:
        judged = assess(dev, unseen, decided, select.draws, params.seed())
        report |= {figure: judged[figure] for figure in calibrate.SCALED}
        report["ci"] |= {figure: judged["ci"][figure] for figure in calibrate.SCALED}
    if repeats > 1:
        report["counts"] |= {"n": len(dev.y) // repeats, "repeats": repeats}
        report["notes"].append(f"each sample was predicted {repeats} times, by models of other folds; all are counted")
    candidate = artifacts.read_json(folder / "candidate.json")
    report |= {key: candidate[key] for key in ("tuned",) if key in candidate}
    if dev.positive:
        report["operating_point"] = operating_point.describe(report, rule, select.operating_point.prevalence)
    add_refusals(report, dev, decided, distance > rule["refusal"]["threshold"])
    subgroups.add(report, parts, dev, (proba, decided), select.draws, params.seed(), repeats)
    history = pd.read_csv(folder / "history.csv").groupby("epoch", as_index=False)[["loss", "val_loss"]].mean()
    numbers, drawn = (Path(f"reports/{model.task}/{kind}/{name}") for kind in ("plots", "figures"))
    artifacts.write_csv(numbers / "roc.csv", curve(dev, proba))
    artifacts.write_csv(numbers / "confusion.csv", cases(dev, decided))
    artifacts.write_csv(numbers / "history.csv", history)
    plots.roc(dev, proba, report["roc_auc"], f"{name}, out of fold", drawn / "roc.png")
    plots.confusion(metrics.confusion(dev.y, decided, len(dev.classes)), dev.classes, name, drawn / "confusion.png")
    plots.history(history, name, drawn / "history.png")
    bins = reliability(dev, unseen)
    artifacts.write_csv(drawn / "reliability.csv", bins)
    plots.reliability(bins, dev.positive, f"{name}, out of fold", drawn / "reliability.png")
    kept = coverage.coverage(decided != dev.y, proba[np.arange(len(dev.y)), decided], distance)
    artifacts.write_csv(drawn / "coverage.csv", kept)
    plots.coverage(kept, f"{name}, out of fold", drawn / "coverage.png")
    if (folder / "importance.csv").exists():
        important = pd.read_csv(folder / "importance.csv", dtype={"column": str}, keep_default_na=False)
        artifacts.write_csv(drawn / "importance.csv", important)
        plots.importance(important, f"{name}, out of fold", drawn / "importance.png")
    if dev.positive:
        artifacts.write_csv(drawn / "thresholds.csv", thresholds(dev, proba, rule["threshold"]))
    artifacts.write_json(Path(f"models/{model.task}/decisions/{name}.json"), rule)
    artifacts.write_json(Path(f"reports/{model.task}/cv/{name}.json"), report)


if __name__ == "__main__":
    run(main)
