"""A report: how good predictions are, with intervals, raw counts and what to be careful about; of any stage's predictions."""

from dataclasses import replace

import numpy as np

from pipeline.core import params
from pipeline.data.dataset import Dataset
from pipeline.evaluation.report import ClassScores, Counts, Interval, KeptScores, PartScores, Report
from pipeline.stats import intervals, metrics
from pipeline.stats.bootstrap import bootstrap_both

FEW_GROUPS = 10  # of a class; a bootstrap of fewer says little of what else could have been drawn
FEW = 20  # samples of a subgroup or site, below which it is flagged


def assess(data: Dataset, proba: np.ndarray, decided: np.ndarray, draws: int, seed: int) -> Report:
    """Return the report on predictions: figures, their intervals over groups, counts, figures by class and notes.

    `proba` (n, n_classes) and `decided` int (n,) belong to the rows of `data`; `draws` is of the bootstrap.
    """
    figures = metrics.scores(data.y, proba, decided)
    overall, of_classes = bootstrap_both(data.y, proba, decided, data.group, draws, seed)
    n_groups = len(set(data.group))
    groups = {name: len(set(data.group[data.y == k])) for k, name in enumerate(data.classes)}

    def interval(name: str, estimate: float, drawn: np.ndarray) -> Interval:
        return intervals.of_metric(name, estimate, drawn, n_groups, min(groups.values()))

    ci = {name: interval(name, figures[name], drawn) for name, drawn in overall.items()}
    ci |= {"accuracy": intervals.of_share(decided == data.y, data.group)}
    per_class = {}
    for k, (name, scores) in enumerate(metrics.per_class(data.y, proba, decided, data.classes).items()):
        support = int(scores.pop("support"))
        ends = {metric: interval(metric, scores[metric], drawn[:, k]) for metric, drawn in of_classes.items()}
        per_class[name] = ClassScores(scores, shares(data, decided, k) | ends, support=support)
    if data.positive:
        negative, positive = (of_class.ci for of_class in per_class.values())
        ci |= {"recall": positive["recall"], "specificity": negative["recall"]}
        ci |= {"precision": positive["precision"], "negative_predictive_value": negative["precision"]}
    matrix = metrics.confusion(data.y, decided, len(data.classes))
    table = {name: dict(zip(data.classes, row, strict=True)) for name, row in zip(data.classes, matrix, strict=True)}
    counts = Counts(len(data.y), n_groups, groups, table)
    n_decided = dict(zip(data.classes, matrix.sum(axis=0), strict=True))
    return Report(figures=figures, ci=ci, counts=counts, per_class=per_class, notes=notes(groups, n_decided))


def with_refusals(report: Report, data: Dataset, decided: np.ndarray, refused: np.ndarray) -> Report:
    """Return the report with the share that would be refused as out-of-distribution, bool (n,), and accuracy without it.

    All other figures stay on all samples: a model that refused what it gets wrong would look better than it is.
    """
    right, groups = (decided == data.y)[~refused], data.group[~refused]
    accuracy = float(right.mean()) if len(right) else np.nan
    return replace(
        report,
        figures=report.figures | {"refused": float(np.mean(refused))},
        ci=report.ci | {"refused": intervals.of_share(refused, data.group)},
        kept=KeptScores({"accuracy": accuracy}, {"accuracy": intervals.of_share(right, groups)}, n=len(right)),
    )


def score_part(
    data: Dataset,
    rows: np.ndarray,
    proba: np.ndarray,
    decided: np.ndarray,
    metrics: tuple[str, ...],
    draws: int,
    repeats: int = 1,
) -> PartScores:
    """Return the figures called `metrics` of the samples in `rows`, int (m,), of `data`; NaN for lack of a class.

    `proba` (n, n_classes) and `decided` (n,) belong to `data`, which holds each sample `repeats` times.
    """
    part = data.rows(rows)
    report = assess(part, proba[rows], decided[rows], draws, params.seed())
    return PartScores(
        {name: report[name] for name in metrics},
        {name: report.ci[name] for name in metrics},
        n=len(rows) // repeats,
        n_groups=report.counts.n_groups,
        n_positive=int((part.y == 1).sum()) // repeats if data.positive else None,
        few=len(rows) // repeats < FEW,
    )


def shares(data: Dataset, decided: np.ndarray, k: int) -> dict[str, Interval]:
    """Return the intervals of class k's recall, a share of its samples, and precision, a share of those decided for it."""
    actual, chosen = data.y == k, decided == k
    return {
        "recall": intervals.of_share(chosen[actual], data.group[actual]),
        "precision": intervals.of_share(actual[chosen], data.group[chosen]),
    }


def notes(groups: dict[str, int], decided: dict[str, int]) -> list[str]:
    """Return what is undefined or rough, in words; `groups` and `decided` are numbers by class."""
    sentences = []
    for name, count in groups.items():
        if count == 0:
            sentences.append(f"{name}: there is no sample; what needs one is undefined")
        elif count < FEW_GROUPS:
            sentences.append(f"{name}: samples of {count} groups only; intervals of what depends on it are rough")
        if decided[name] == 0:
            sentences.append(f"{name}: nothing was decided to be this; its precision is undefined")
    return sentences
