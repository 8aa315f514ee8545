"""Stage `evaluate@model`: how good a model is on samples it did not see, from out-of-fold predictions only.

Writes `reports/<task>/cv/<model>.json`, the decision `models/<task>/decisions/<model>.json`, and roc, confusion and history:
as CSV, for `dvc plots`, in `reports/<task>/plots/<model>/`, as PNG in `reports/<task>/figures/<model>/`.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import artifacts, calibrate, decision, metrics, operating_point, params, plots
from pipeline.assess import assess
from pipeline.dataset import Dataset
from pipeline.stage import require, run


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


def main(name: str) -> None:
    model = params.model(name)
    task = params.task(model.task)
    folder = require(f"models/{model.task}/candidates/{name}/candidate.json", f"train@{name}").parent
    dev = Dataset.load(require(f"data/{model.task}/dev.npz", f"preprocess@{model.task}"))
    raw = np.load(folder / "oof.npz")["proba"]
    select, where = task.select, f"params.yaml: tasks.{model.task}.select.operating_point"
    calibration, how = calibrate.choose(dev, raw, select.draws, params.seed())
    proba = decision.calibrate(raw, {"calibration": calibration})
    rule = {"calibration": calibration} | operating_point.choose(dev, proba, select.operating_point, where)
    decided = decision.decide(proba, rule)
    report = assess(dev, proba, decided, select.draws, params.seed()) | {"calibration": how}
    if calibration != calibrate.NONE:
        judged = assess(dev, calibrate.out_of_fold(dev, raw, rule), decided, select.draws, params.seed())
        report |= {figure: judged[figure] for figure in calibrate.SCALED}
        report["ci"] |= {figure: judged["ci"][figure] for figure in calibrate.SCALED}
    if dev.positive:
        report["operating_point"] = operating_point.describe(report, rule, select.operating_point.prevalence)
    history = pd.read_csv(folder / "history.csv").groupby("epoch", as_index=False)[["loss", "val_loss"]].mean()
    numbers, drawn = (Path(f"reports/{model.task}/{kind}/{name}") for kind in ("plots", "figures"))
    artifacts.write_csv(numbers / "roc.csv", curve(dev, proba))
    artifacts.write_csv(numbers / "confusion.csv", cases(dev, decided))
    artifacts.write_csv(numbers / "history.csv", history)
    plots.roc(dev, proba, report["roc_auc"], f"{name}, out of fold", drawn / "roc.png")
    plots.confusion(metrics.confusion(dev.y, decided, len(dev.classes)), dev.classes, name, drawn / "confusion.png")
    plots.history(history, name, drawn / "history.png")
    artifacts.write_json(Path(f"models/{model.task}/decisions/{name}.json"), rule)
    artifacts.write_json(Path(f"reports/{model.task}/cv/{name}.json"), report)


if __name__ == "__main__":
    run(main)
