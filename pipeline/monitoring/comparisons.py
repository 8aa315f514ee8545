"""The figures that a champion's samples are compared with its training data by, each with an interval.

Shares (refused, out of range, missing, a category, an answer): the difference to out-of-fold samples with Newcombe's interval.
Distance, probability, and the component along each direction or in each column: in which share of pairs the served sample lies
beyond the training sample (Mann and Whitney's U over n m: 0.5 where they are alike), with Newcombe's interval (2006, "Confidence
intervals for an effect size measure based on the Mann-Whitney statistic. Part 2", method 5). Training samples of one group count
as one. All intervals together hold in 95 % of cases (Bonferroni), so that more figures make no more false alarms.

Probabilities are compared over one, two and three weeks: evidence of a slow change, as of prevalence, adds up. They and the
answers have three fifths of the 5 %, since they are few and matter most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.core.artifacts import JSON
from pipeline.monitoring.histograms import BINS, COMPONENT, EDGE, Reference, Tally
from pipeline.stats import intervals
from pipeline.stats.pairs import superiority_interval

DAYS = 7  # that are compared together
WEEKS = 3  # over which evidence in the answers adds up
OF_ANSWERS = 0.6  # of the 5 %
# Margins: a difference whose interval is beyond them is an alarm.
REFUSED = 0.05  # of the share of samples that are refused or out of range, if larger
ANSWERS = 0.15  # of the share of an answer, a category or missing values, larger or smaller
BEYOND = 0.64  # of a share of pairs; Vargha and Delaney (2000) call this a medium difference
BOTH_SIDES = ("answer", "category", "missing")
NEW = "a new value"
# Bins outside of -2 to 2, the training range of a column: two widths of a bin above, because its end lies in the bin beyond.
OUTSIDE = np.r_[: round((EDGE - 2) / COMPONENT) + 1, round((EDGE + 2) / COMPONENT) + 2 : BINS]

# What a figure is of.
Of = Literal["refused", "distance", "place", "outside", "missing", "category", "answer", "probability"]


@dataclass(frozen=True)
class Shares:
    """A share of n served samples and of n_trained training samples; beyond a difference of `margin` it is an alarm."""

    of: Of
    name: str
    k: int
    n: int
    k_trained: int
    n_trained: int
    margin: float


@dataclass(frozen=True)
class Pairs:
    """Histograms of served and of training samples over the same bins."""

    of: Of
    name: str
    served: np.ndarray
    trained: np.ndarray


Comparison = Shares | Pairs


@dataclass(frozen=True)
class Figure:
    """A comparison with the training data and its interval. `alarm`: surely beyond its margin; `differs`: surely different.

    For a share, that `served`, in `training` and the `difference`; for distance, a component and the probability, the share of
    pairs in which the served sample lies `beyond` the training sample. From the last `days`.
    """

    of: Of
    name: str
    ci: tuple[float, float]
    alarm: bool
    differs: bool
    days: int = DAYS
    served: float | None = None
    training: float | None = None
    difference: float | None = None
    beyond: float | None = None

    @property
    def size(self) -> float:
        """How far it is from no difference."""
        return abs(self.difference or 0.0) if self.beyond is None else abs(self.beyond - 0.5)

    def to_json(self) -> JSON:
        """Return the content of JSON."""
        content = {name: value for name, value in vars(self).items() if value is not None}
        return content | {"ci": list(self.ci)}


def comparisons(served: Tally, reference: Reference) -> list[Comparison]:
    """Return what is compared within a week, in this order: refused, distance, components in the order of the reference's names,
    values out of range, missing values, categories.
    """
    trained, n = reference.tally, served.n
    compared: list[Comparison] = [Shares("refused", "", served.refused, n, trained.refused, trained.n, REFUSED)]
    positioned, positioned_before = int(served.distance.sum()), int(trained.distance.sum())
    if positioned:
        compared.append(Pairs("distance", "", served.distance, trained.distance))
    for name, a, b in zip(reference.names, served.components, trained.components, strict=False):
        if a.sum() and b.sum():
            compared.append(Pairs("place", name, a, b))
            outside, before = int(a[OUTSIDE].sum()), int(b[OUTSIDE].sum())
            compared.append(Shares("outside", name, outside, int(a.sum()), before, int(b.sum()), REFUSED))
        if positioned and positioned_before:
            missing, before = positioned - int(a.sum()), positioned_before - int(b.sum())
            compared.append(Shares("missing", name, missing, positioned, before, positioned_before, ANSWERS))
    for column, before_by in trained.categories.items():
        own = served.categories.get(column, {})
        new = served.new_categories.get(column, 0)
        n_own, n_before = sum(own.values()) + new, sum(before_by.values())
        if n_own and n_before:
            values = {value: own.get(value, 0) for value in before_by} | {NEW: new}
            compared += [
                Shares(
                    "category", f"{column}: {value or 'missing'}", k, n_own, before_by.get(value, 0), n_before, ANSWERS
                )
                for value, k in values.items()
            ]
    return compared


def answers(served: Tally, reference: Reference) -> list[Comparison]:
    """Return what is compared of the answers: the share of each class (with two, of the positive one); their probability."""
    trained = reference.tally
    classes = list(trained.answers)
    classes = classes if len(classes) > 2 else classes[-1:]  # of two classes one share gives the other
    n, n_trained = served.n - served.refused, trained.n - trained.refused
    if not (n and n_trained):
        return []
    shares: list[Comparison] = [
        Shares("answer", name, served.answers.get(name, 0), n, trained.answers[name], n_trained, ANSWERS)
        for name in classes
    ]
    has_both = served.probability.sum() and trained.probability.sum()
    return shares + [Pairs("probability", "", served.probability, trained.probability)] * bool(has_both)


def figures(weeks: Sequence[Tally], reference: Reference) -> list[Figure]:
    """Return the figures of `compare`: those of the last week, then those of the answers of the last one, two and three weeks."""
    compared = comparisons(weeks[-1], reference)
    level = 1 - (1 - intervals.LEVEL) * (1 - OF_ANSWERS) / len(compared)
    rows = [figure(each, weeks[-1], reference, level, DAYS) for each in compared]
    of_answers = [(each, weeks[-1], DAYS) for each in answers(weeks[-1], reference)]
    for n in range(2, WEEKS + 1):
        if of_answers and len(weeks) >= n and weeks[-n].probability.sum():
            served = sum(weeks[-n:], Tally())
            of_answers.append((answers(served, reference)[-1], served, n * DAYS))
    # as many as there may be, so that the level does not depend on how long the champion has been in use
    n_classes = len(reference.tally.answers)
    level = 1 - (1 - intervals.LEVEL) * OF_ANSWERS / ((n_classes if n_classes > 2 else 1) + WEEKS)
    return rows + [figure(each, served, reference, level, days) for each, served, days in of_answers]


def key_of(of: Of, name: str) -> str:
    """Return the name of a figure among the design effects."""
    return f"{of} {name}" if name else of


def figure(compared: Comparison, served: Tally, reference: Reference, level: float, days: int) -> Figure:
    """Return a comparison of what was `served` with its interval at a `level`."""
    effect = reference.design_effects.get(key_of(compared.of, compared.name), 1.0)
    of_served, weight = served.independent(effect), min(reference.n_groups / reference.tally.n, 1 / effect)
    if isinstance(compared, Pairs):
        return of_pairs(compared, of_served, weight, level, days)
    a, b = compared.k / compared.n, compared.k_trained / compared.n_trained
    a_ends = intervals.wilson(compared.k * of_served, compared.n * of_served, level)
    b_ends = intervals.wilson(compared.k_trained * weight, compared.n_trained * weight, level)
    low, high = intervals.of_difference(a, list(a_ends), b, list(b_ends))
    alarm = low > compared.margin or (compared.of in BOTH_SIDES and high < -compared.margin)
    differs = low > 0 or high < 0
    return Figure(compared.of, compared.name, (low, high), alarm, differs, days, served=a, training=b, difference=a - b)


def of_pairs(compared: Pairs, of_served: float, weight: float, level: float, days: int) -> Figure:
    """Return the share of pairs in which the served sample lies beyond the training sample, with its interval."""
    beyond = superiority(compared.served, compared.trained)
    low, high = superiority_interval(beyond, compared.served.sum() * of_served, compared.trained.sum() * weight, level)
    both = compared.of != "distance"
    alarm = compared.of != "probability" and (low > BEYOND or (both and high < 1 - BEYOND))
    return Figure(
        compared.of, compared.name, (low, high), alarm, low > 0.5 or (both and high < 0.5), days, beyond=beyond
    )


def superiority(a: np.ndarray, b: np.ndarray) -> float:
    """Return the share of pairs in which the sample of histogram `a` lies in a higher bin than that of `b`; ties count half."""
    below = np.cumsum(b) - b / 2
    return float((a * below).sum() / (a.sum() * b.sum()))
