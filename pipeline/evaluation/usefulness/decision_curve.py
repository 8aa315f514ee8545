"""Decision curve: net benefit of deciding by the model, against treating everybody and nobody.

For two classes, on probabilities by calibrators that did not see the sample. Sources: `stats.net_benefit`; how to read it:
Vickers, van Calster and Steyerberg 2019, "A simple, step-by-step guide to interpreting decision curve analysis".
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.data.dataset import Dataset
from pipeline.evaluation.report import Report
from pipeline.stats import intervals
from pipeline.stats.net_benefit import contributions, mean_interval

THRESHOLDS = np.arange(1, 100) / 100
MODEL, GAIN = "net_benefit", "net_benefit_gain"
NAMES = (MODEL, GAIN)


def default(positive: np.ndarray, threshold: float) -> np.ndarray:
    """Return the contributions of the better of treating all and treating none, float64 (n,)."""
    everybody = contributions(positive, np.ones(len(positive), bool), threshold)
    return everybody if np.mean(everybody) > 0 else np.zeros(len(positive))


def curve(data: Dataset, p: np.ndarray, n_folds: int | None = None) -> pd.DataFrame:
    """Return threshold and the net benefit of the model, of treating all, and the model's gain over the better of all and none.

    Each of `model`, `all` and `gain` has its 95 % interval as `_low` and `_high`; `none` is 0. `p` (n,) are probabilities of the
    positive class; `n_folds`: they are out of fold of so many folds.
    """
    widen = intervals.of_training(n_folds).shares if n_folds else 1.0
    positive, rows = data.y == 1, []
    groups = np.unique(data.group, return_inverse=True)[1]  # numbers, which are told apart faster than text
    for threshold in THRESHOLDS:
        own = contributions(positive, p >= threshold, threshold)
        everybody = contributions(positive, np.ones(len(p), bool), threshold)
        row = {"threshold": threshold, "none": 0.0}
        for name, values, factor in (
            ("model", own, widen),
            ("all", everybody, 1.0),
            ("gain", own - default(positive, threshold), widen),
        ):
            row[name], (row[f"{name}_low"], row[f"{name}_high"]) = mean_interval(values, groups, factor)
        rows.append(row)
    return pd.DataFrame(rows)


def with_net_benefit(
    report: Report, data: Dataset, decided: np.ndarray, threshold: float, n_folds: int | None = None
) -> Report:
    """Return the report of two classes with the net benefit of what was `decided`, int (n,), and its gain over all and none."""
    if not data.positive:
        return report
    widen = intervals.of_training(n_folds).shares if n_folds else 1.0
    own = contributions(data.y == 1, decided == 1, threshold)
    both = [mean_interval(values, data.group, widen) for values in (own, own - default(data.y == 1, threshold))]
    figures = {name: figure for name, (figure, _) in zip(NAMES, both, strict=True)}
    # nobody treated, or everybody as by default: without a difference in any sample, how large it could be is not known
    ci = {name: ends if ends[0] < ends[1] else [np.nan, np.nan] for name, (_, ends) in zip(NAMES, both, strict=True)}
    return replace(report, figures=report.figures | figures, ci=report.ci | ci)


def in_words(table: pd.DataFrame, bounds: Sequence[float] | None) -> str:
    """Return what a `curve` says in the range of thresholds that is named, or in all, as a sentence."""
    low, high = bounds or (table["threshold"].min(), table["threshold"].max())
    inside = table[table["threshold"].between(low - 1e-9, high + 1e-9)]
    better, worse = int((inside["gain_low"] > 0).sum()), int((inside["gain_high"] < 0).sum())
    where = f"thresholds from {low:g} to {high:g}"
    unnamed = "" if bounds else "; select.operating_point.threshold_range in params.yaml names those that matter"
    verdict = (
        f"better than treating all and treating none at {better} of {len(inside)} {where}, by the whole 95 % interval"
    )
    return f"Deciding by the model is {verdict}, and worse at {worse}{unnamed}."
