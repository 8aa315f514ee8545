"""Wrong decisions out of fold, the most confident first: to look at for wrong labels and common features."""

import numpy as np
import pandas as pd

from pipeline.data.dataset import Dataset
from pipeline.evaluation import out_of_fold
from pipeline.evaluation.report import read_cv
from pipeline.prediction.decision_rule import DecisionRule, calibrate
from pipeline.training.export import read_oof


def table(dev: Dataset, proba: np.ndarray, decided: np.ndarray) -> pd.DataFrame:
    """Return path, label, decided (the wrong class) and its probability, the most confident first.

    `proba` (n, n_classes): calibrated, out of fold; `decided`: int (n,).
    """
    sure, names = proba[np.arange(len(decided)), decided], np.array(dev.classes)
    wrong = np.flatnonzero(decided != dev.y)
    ranked = wrong[np.argsort(-sure[wrong], kind="stable")]
    columns = {
        "path": dev.path[ranked],
        "label": names[dev.y[ranked]],
        "decided": names[decided[ranked]],
        "probability": sure[ranked],
    }
    return pd.DataFrame(columns)


def of_model(task: str, model: str) -> pd.DataFrame:
    """Return the `table` of a model; of repeated folds that of the first. Raise StageError where it was not evaluated."""
    rule, dev = DecisionRule.read(task, model), Dataset.read(task, "dev")
    proba = calibrate(read_oof(task, model)[: len(dev.y)], rule)
    return table(dev, proba, out_of_fold.read_decided(model, rule, read_cv(task, model)))
