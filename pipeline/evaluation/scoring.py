"""A report: how good predictions are, with intervals, raw counts and what to be careful about; of any stage's predictions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipeline.core import params
from pipeline.data.dataset import Dataset
from pipeline.evaluation.report import ClassScores, Counts, Interval, KeptScores, PartScores, Report, Scores
from pipeline.stats import combined, intervals, logistic_calibration, metrics
from pipeline.stats.bootstrap import bootstrap_both

FEW_GROUPS = 10  # of a class; a bootstrap of fewer says little of what else could have been drawn
FEW = 20  # samples of a subgroup or site, below which it is flagged
COUNTED = 10  # samples, below which a share of them is given as counts
CHANCE = 0.5  # ROC AUC of guessing
UNKNOWN = [np.nan, np.nan]


@dataclass(frozen=True)
class Share:
    """A share of samples with its interval; `cases`: how many of how many, where these are so few that it has none."""

    estimate: float
    ends: Interval
    cases: list[int] | None

    @property
    def ci(self) -> Interval:
        """The interval that is shown."""
        return self.ends if self.cases is None else UNKNOWN


def share(data: Dataset, of: np.ndarray, hit: np.ndarray, widen: float) -> Share:
    """Return the share of samples with `hit` among those with `of`, bool (n,) both."""
    right, groups, n = hit[of], data.group[of], len(set(data.id[of]))
    estimate = float(right.mean()) if len(right) else np.nan
    counts = [int(right.sum()), len(right)] if 0 < n < COUNTED else None
    return Share(estimate, intervals.of_share(right, groups, widen), counts)


def shares(data: Dataset, decided: np.ndarray, k: int, widen: float) -> dict[str, Share]:
    """Return class k's recall, a share of its samples, precision, of those decided for it, specificity, of all others, and
    prevalence, of all.
    """
    actual, chosen, every = data.y == k, decided == k, np.ones(len(data.y), bool)
    return {
        "recall": share(data, actual, chosen, widen),
        "precision": share(data, chosen, actual, widen),
        "specificity": share(data, ~actual, ~chosen, widen),
        "prevalence": share(data, every, actual, 1.0),
    }


def assess(
    data: Dataset, proba: np.ndarray, decided: np.ndarray, draws: int, seed: int, n_folds: int | None = None
) -> Report:
    """Return the report on predictions: figures, their intervals over groups, counts, figures by class and notes.

    `proba` (n, n_classes) and `decided` int (n,) belong to the rows of `data`; `draws` is of the bootstrap. `n_folds`:
    out of how many folds the predictions are; None of a model that no sample helped to train.
    """
    figures = metrics.scores(data.y, proba, decided)
    overall, of_classes = bootstrap_both(data.y, proba, decided, data.group, draws, seed)
    n_groups = len(set(data.group))
    groups = {name: len(set(data.group[data.y == k])) for k, name in enumerate(data.classes)}

    widening = intervals.of_training(n_folds) if n_folds else intervals.Widening()

    def interval(name: str, estimate: float, drawn: np.ndarray) -> Interval:
        return intervals.of_metric(name, estimate, drawn, n_groups, min(groups.values()), widening.of(name))

    if n_folds and not interval("roc_auc", figures["roc_auc"], overall["roc_auc"])[0] > CHANCE:
        widening = intervals.of_training(n_folds, has_learnt=False)
    parts = [shares(data, decided, k, widening.shares) for k in range(len(data.classes))]
    per_class = {}
    for k, (name, scores) in enumerate(metrics.per_class(data.y, proba, decided, data.classes).items()):
        support = int(scores.pop("support"))
        ci = {
            "recall": parts[k]["recall"].ci,
            "precision": parts[k]["precision"].ci,
            "f1": of_shares(combined.f1, parts[k]),
        }
        ci["roc_auc"] = interval("roc_auc", scores["roc_auc"], of_classes["roc_auc"][:, k])
        per_class[name] = ClassScores(scores, ci, cases_of(parts[k], ("recall", "precision")), support=support)
    ci = {name: interval(name, figures[name], drawn) for name, drawn in overall.items() if name != "ece"}
    low, high = ci["brier_score_loss"]
    ci["brier_score_loss"] = [low, min(high, 1.0 if data.positive else 2.0)]
    ci["balanced_accuracy"] = of_balanced_accuracy(data, decided, widening.shares)
    named = {"accuracy": share(data, np.ones(len(data.y), bool), decided == data.y, widening.shares)}
    if data.positive:
        negative, positive = parts
        ci |= {"f1": of_shares(combined.f1, positive), "matthews_corrcoef": of_shares(combined.matthews, positive)}
        named |= {name: positive[name] for name in ("recall", "specificity", "precision")}
        named["negative_predictive_value"] = negative["precision"]
        calibrated = of_calibration(data, proba, widening.other)
        figures, ci = figures | calibrated.figures, ci | calibrated.ci
    else:
        ci["recall_macro"] = ci["balanced_accuracy"]
    matrix = metrics.confusion(data.y, decided, len(data.classes))
    table = {name: dict(zip(data.classes, row, strict=True)) for name, row in zip(data.classes, matrix, strict=True)}
    n_decided = dict(zip(data.classes, matrix.sum(axis=0), strict=True))
    return Report(
        figures,
        ci | {name: each.ci for name, each in named.items()},
        cases_of(named, named),
        counts=Counts(len(data.y), n_groups, groups, table),
        per_class=per_class,
        notes=notes(groups, n_decided),
    )


def of_calibration(data: Dataset, proba: np.ndarray, widen: float) -> Scores:
    """Return calibration_slope and calibration_intercept of two classes; NaN where they cannot be given."""
    fitted = logistic_calibration.slope_and_intercept(data.y, proba[:, 1], data.group)
    ci = {name: [figure + widen * (end - figure) for end in ends] for name, (figure, ends) in fitted.items()}
    unknown = dict.fromkeys(logistic_calibration.NAMES, np.nan)
    return Scores(
        unknown | {name: figure for name, (figure, _) in fitted.items()}, dict.fromkeys(unknown, UNKNOWN) | ci
    )


def of_balanced_accuracy(data: Dataset, decided: np.ndarray, widen: float) -> Interval:
    """Return the interval of the mean of the classes' recalls; `decided` int (n,).

    Variances of few groups each are known better together than one by one: with ten groups a class, each recall's own quantile of
    Student's makes the interval a tenth wider than it need be.
    """
    hits = [(decided[data.y == k] == k, data.group[data.y == k]) for k in range(len(data.classes))]
    variances = [intervals.variance_of_share(right, groups) for right, groups in hits]
    degrees = [max(1, len(np.unique(groups)) - 1) for _, groups in hits]
    together = min(intervals.satterthwaite(variances, degrees), len(np.unique(data.group)) - 1)
    recalls = [(float(r.mean()) if len(r) else np.nan, intervals.of_share(r, g, widen, together)) for r, g in hits]
    return combined.mover(combined.balanced_accuracy, recalls)


def of_shares(figure: Callable[..., float], parts: Mapping[str, Share]) -> Interval:
    """Return the interval of a figure that is made of a class' recall, specificity and prevalence."""
    names, least = ("recall", "specificity", "prevalence"), -1.0 if figure is combined.matthews else 0.0
    return combined.mover(figure, [(parts[name].estimate, parts[name].ends) for name in names], least)


def cases_of(parts: Mapping[str, Share], names: Iterable[str]) -> dict[str, list[int]]:
    """Return the counts of those shares that are shown as counts."""
    return {name: counts for name in names if (counts := parts[name].cases) is not None}


def with_refusals(
    report: Report, data: Dataset, decided: np.ndarray, refused: np.ndarray, n_folds: int | None = None
) -> Report:
    """Return the report with the share that would be refused as out-of-distribution, bool (n,), and accuracy without it.

    All other figures stay on all samples: a model that refused what it gets wrong would look better than it is.
    """
    widen = intervals.of_training(n_folds).shares if n_folds else 1.0
    left = share(data, np.ones(len(data.y), bool), refused, widen)
    right = share(data, ~refused, decided == data.y, widen)
    return replace(
        report,
        figures=report.figures | {"refused": left.estimate},
        ci=report.ci | {"refused": left.ci},
        cases=report.cases | cases_of({"refused": left}, ["refused"]),
        kept=KeptScores(
            {"accuracy": right.estimate},
            {"accuracy": right.ci},
            cases_of({"accuracy": right}, ["accuracy"]),
            n=int(np.sum(~refused)),
        ),
    )


def score_part(
    data: Dataset,
    rows: np.ndarray,
    proba: np.ndarray,
    decided: np.ndarray,
    metrics: tuple[str, ...],
    draws: int,
    repeats: int = 1,
    n_folds: int | None = None,
) -> PartScores:
    """Return the figures called `metrics` of the samples in `rows`, int (m,), of `data`; NaN for lack of a class.

    `proba` (n, n_classes) and `decided` (n,) belong to `data`, each sample `repeats` times; `n_folds` as for `assess`.
    """
    part = data.rows(rows)
    report = assess(part, proba[rows], decided[rows], draws, params.seed(), n_folds)
    return PartScores(
        {name: report[name] for name in metrics},
        {name: report.ci[name] for name in metrics},
        {name: report.cases[name] for name in metrics if name in report.cases},
        n=len(rows) // repeats,
        n_groups=report.counts.n_groups,
        n_positive=int((part.y == 1).sum()) // repeats if data.positive else None,
        few=len(rows) // repeats < FEW,
    )


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
