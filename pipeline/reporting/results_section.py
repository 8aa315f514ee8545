"""The results section of a report: leaderboard, figures of the champion, mistakes, subgroups, sites, external data."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from pipeline.core import params
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import require
from pipeline.evaluation import mistakes as wrong_decisions
from pipeline.evaluation.metric_names import NAMES
from pipeline.evaluation.report import (
    ExternalReport,
    GroupReport,
    Interval,
    Report,
    SiteScores,
    SubgroupScores,
    read_external,
)
from pipeline.evaluation.usefulness import decision_curve
from pipeline.reporting.results import Study

MOST_MISTAKES = 12
FEW_CASES = 10  # of which a share is given as counts alone
COMPARED = ("roc_auc", "accuracy", "recall", "specificity", "brier_score_loss", "ece")  # with external data


@dataclass(frozen=True)
class BoardRow:
    """A model of the leaderboard: its metric out of fold and on the test set, with intervals."""

    model: str
    features: str
    figure: float
    ends: Interval
    brier: float
    test: float
    test_ends: Interval | None
    is_champion: bool


@dataclass(frozen=True)
class Mistake:
    """A wrong decision out of fold, with the probability of the decided class; `image` as a data: URI, "" for none."""

    path: str
    actual: str
    decided: str
    probability: float
    image: str = ""


@dataclass(frozen=True)
class Sites:
    """Leaving out one site of `column` at a time: the champion's `rows`, and of each other model its row of all sites."""

    column: str
    rows: list[SiteScores]
    others: dict[str, SiteScores]


def leaderboard(study: Study) -> list[BoardRow]:
    """Return a row per model."""
    metric = study.selection.metric
    return [
        BoardRow(
            model=row["model"],
            features=row["features"],
            figure=row[metric],
            ends=[row[f"{metric}_low"], row[f"{metric}_high"]],
            brier=row["brier"],
            test=row[f"test_{metric}"],
            test_ends=study.tests[row["model"]].ci.get(study.metric),
            is_champion=row["champion"] == "yes",
        )
        for row in study.board.to_dict("records")
    ]


def usefulness(study: Study) -> str:
    """Return what the decision curve of two classes says out of fold, "" of more classes."""
    if not study.dev.positive:
        return ""
    path = TaskPaths(study.name).figures(study.winner) / "decision_curve.csv"
    table = pd.read_csv(require(path, f"evaluate@{study.name}"))
    return decision_curve.in_words(table, study.task.select.operating_point.threshold_range)


def names(study: Study) -> dict[str, str]:
    """Return the names of the champion's figures by their keys."""
    return {key: name for key, name in NAMES.items() if key in study.cv.figures}


def by_group(study: Study) -> dict[str, GroupReport]:
    """Return the champion's reports on samples that are answered together, by side; {} where every sample is alone."""
    sides = {"out of fold": study.cv.by_group, "test": study.test.by_group}
    return {side: report for side, report in sides.items() if report}


def pooled(report: GroupReport) -> str:
    """Return how the samples of a group become one answer, and how that was chosen, as a sentence."""
    if report.pooling is None:
        return ""
    if len(report.pooling.tried) == 1:
        return f"Samples become one answer by {report.pooling.chosen}, the only way that select.pooling names."
    tried = ", ".join(f"{each.pooling} {each.log_loss:.3f}" for each in report.pooling.tried)
    return (
        f"Samples become one answer by {report.pooling.chosen}, chosen by log loss ({tried}); for Brier score, log loss and "
        f"ECE each fold by what the others choose ({', '.join(dict.fromkeys(report.pooling.by_fold))})."
    )


def confusion(report: Report) -> Iterator[tuple[str, list[tuple[str, int, float | None]]]]:
    """Yield each actual class with (decided class, count, share of the row) of every decided class.

    A row of fewer than FEW_CASES samples has no shares.
    """
    for actual, row in report.counts.confusion.items():
        total = sum(row.values())
        yield actual, [(name, n, n / total if total >= FEW_CASES else None) for name, n in row.items()]


def natural_frequencies(study: Study) -> str:
    """Return what the decisions mean for a hundred samples, out of fold; "" for more than two classes.

    They are samples like these, or as many of them are positive as is named for the place of use.
    """
    positive, point = study.dev.positive, study.cv.operating_point
    if positive is None or point is None:
        return ""
    named = point.prevalence.get("named") or point.prevalence["data"]
    sensitivity, specificity = study.cv["recall"], study.cv["specificity"]
    n_positive = round(100 * named.prevalence)
    where = "at the place of use" if point.prevalence.get("named") else "like these"
    n_found, n_false = round(n_positive * sensitivity), round((100 - n_positive) * (1 - specificity))
    return (
        f"Of 100 {study.what}s {where}, {n_positive} are {positive}: the model finds {n_found} of them and misses "
        f"{n_positive - n_found}. Of the {100 - n_positive} others it calls {n_false} {positive} wrongly (out of fold, rounded)."
    )


def mistakes(study: Study) -> list[Mistake]:
    """Return the most confident mistakes of the champion out of fold."""
    rows = wrong_decisions.table(study.dev, study.proba, study.decided).head(MOST_MISTAKES).to_dict("records")
    return [Mistake(str(row["path"]), row["label"], row["decided"], float(row["probability"])) for row in rows]


def suspects(study: Study) -> pd.DataFrame:
    """Return the development samples whose label is suspect, as `evaluate` wrote them."""
    path = TaskPaths(study.name).suspects(study.winner)
    return pd.read_csv(require(path, f"evaluate@{study.name}"), dtype={"path": str, "label": str, "instead": str})


def n_mistakes(study: Study) -> int:
    """Return how many samples were decided wrongly out of fold."""
    return int((study.decided != study.dev.y).sum())


def subgroups(study: Study) -> dict[str, list[SubgroupScores]]:
    """Return the champion's figures by subgroup, out of fold and on the test set; {} where params.yaml names no column."""
    sides = {"Out of fold": study.cv.subgroups, "Test": study.test.subgroups}
    return {side: rows for side, rows in sides.items() if rows}


def subgroup_columns(study: Study) -> list[str]:
    """Return the columns that define subgroups."""
    return sorted({row.column for rows in subgroups(study).values() for row in rows})


def sites(study: Study) -> Sites | None:
    """Return the results of leaving one site out; None where params.yaml names no column."""
    if not study.sites or not study.sites.column:
        return None
    by_model = study.sites.models
    others = {name: by_model[name][0] for name in study.task.models if name != study.winner and by_model.get(name)}
    return Sites(study.sites.column, by_model[study.winner], others)


def external(study: Study) -> dict[str, ExternalReport]:
    """Return the champion's reports on external data sets by name, in the order of params.yaml."""
    blocks = params.load().get("external") or {}
    names = [name for name, block in blocks.items() if block["task"] == study.name]
    return {name: read_external(study.name, name) for name in names if TaskPaths(study.name).external(name).exists()}
