"""Curves of out-of-fold predictions: ROC, reliability, thresholds, and risk against coverage.

Coverage and risk: El-Yaniv and Wiener 2010, "On the foundations of noise-free selective classification".
"""

import numpy as np
import pandas as pd

from pipeline.data.dataset import Dataset
from pipeline.stats import logistic_calibration, metrics
from pipeline.stats import reliability as bins
from pipeline.stats.intervals import of_share

POINTS = 100


def coverage(wrong: np.ndarray, confidence: np.ndarray, distance: np.ndarray) -> pd.DataFrame:
    """Return by, coverage and risk: the error among answered samples, most confident or nearest to the training data first.

    `wrong` bool (n,), `confidence` the probability of the decided class (n,), `distance` to the training data (n,).
    """
    parts = []
    for by, order in (("confidence", -confidence), ("familiarity", distance)):
        n = np.arange(1, len(wrong) + 1)
        risk = np.cumsum(wrong[np.argsort(order, kind="stable")]) / n
        kept = np.unique(np.linspace(0, len(n) - 1, POINTS).round().astype(int))
        parts.append(pd.DataFrame({"by": by, "coverage": n[kept] / len(n), "risk": risk[kept]}))
    return pd.concat(parts)


BINS = 10  # of the reliability diagram
THRESHOLDS = 200  # rows of thresholds.csv at most


def curve(data: Dataset, proba: np.ndarray) -> pd.DataFrame:
    """Return the ROC curve of `proba` (n, n_classes) as fpr and tpr.

    With more than two classes, it is the mean over one-vs-rest curves at 101 rates.
    """
    if data.positive:
        fpr, tpr, _ = metrics.roc_curve(data.y == 1, proba[:, 1])
        return pd.DataFrame({"fpr": fpr, "tpr": tpr})
    grid = np.linspace(0, 1, 101)
    curves = [metrics.roc_curve(data.y == k, proba[:, k])[:2] for k in range(len(data.classes))]
    return pd.DataFrame({"fpr": grid, "tpr": np.mean([np.interp(grid, fpr, tpr) for fpr, tpr in curves], axis=0)})


def confusion_rows(data: Dataset, decided: np.ndarray) -> pd.DataFrame:
    """Return a row per sample, actual and `decided` (n,) class, sorted: what DVC's confusion template counts."""
    names = np.array(data.classes)
    return pd.DataFrame({"actual": names[data.y], "decided": names[decided]}).sort_values(["actual", "decided"])


def reliability(data: Dataset, proba: np.ndarray) -> pd.DataFrame:
    """Return a row per bin of predicted probability: predicted (mean), observed (share), low, high, n and n_groups.

    The probability is that of `stats.reliability.confidence`.
    Bins hold equally many samples, so that each says equally much; equal probabilities lie in one bin. `low` and `high` are
    the ends of the 95 % interval of `intervals.of_share`.
    """
    p, true = bins.confidence(data.y[:, None] == np.arange(len(data.classes)), proba)
    edges = bins.equal_count(p, BINS)
    predicted, observed, n = bins.reliability(true, p, edges)
    where = bins.bin_of(p, edges)
    n_groups = np.array([len(set(data.group[where == k])) for k in range(len(n))])
    low, high = np.transpose([of_share(true[where == k], data.group[where == k]) for k in range(len(n))])
    table = {"predicted": predicted, "observed": observed, "low": low, "high": high, "n": n, "n_groups": n_groups}
    return pd.DataFrame(table)[n > 0]


def flexible(data: Dataset, proba: np.ndarray) -> pd.DataFrame | None:
    """Return the calibration curve of two classes (`stats.logistic_calibration.curve`): predicted, observed, low and high.

    None of more classes, and where it cannot be given.
    """
    columns = logistic_calibration.curve(data.y, proba[:, 1], data.group) if data.positive else None
    if columns is None:
        return None
    return pd.DataFrame(dict(zip(("predicted", "observed", "low", "high"), columns, strict=True)))


def thresholds(data: Dataset, proba: np.ndarray, used: float) -> pd.DataFrame:
    """Return what each threshold makes of two classes, rising: threshold, in_use ("yes" of the one that is `used`), tp,
    fp, fn, tn, and of sensitivity and specificity the value and, as _low and _high, the 95 % interval of `intervals.of_share`.

    The thresholds are the probabilities that occur, at four decimals, and the one that is `used`; with more than `THRESHOLDS`
    as many are kept, evenly by rank. Every row is exact: positive is who has `proba >= threshold`.
    """
    p, positive = proba[:, 1].astype(np.float64), data.y == 1
    levels = np.unique(np.floor(p * 10_000) / 10_000)
    kept = np.linspace(0, len(levels) - 1, THRESHOLDS - 1).round().astype(int)
    steps = np.union1d(levels[kept], [used])
    called = p >= steps[:, None]
    tp, fp = (called & positive).sum(axis=1), (called & ~positive).sum(axis=1)
    fn, tn = positive.sum() - tp, (~positive).sum() - fp
    in_use = np.where(steps == used, "yes", "")
    table = pd.DataFrame({"threshold": steps, "in_use": in_use, "tp": tp, "fp": fp, "fn": fn, "tn": tn})
    for name, right, side in (("sensitivity", called, positive), ("specificity", ~called, ~positive)):
        table[name] = right[:, side].mean(axis=1)
        ends = [of_share(row[side], data.group[side]) for row in right]
        table[f"{name}_low"], table[f"{name}_high"] = np.transpose(ends)
    return table
