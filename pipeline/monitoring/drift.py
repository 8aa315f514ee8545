"""Compare the samples that a champion receives with its training data, from counts (see `monitoring.histograms`).

Shares (refused, each answer): the difference to out-of-fold samples with Newcombe's interval. Distance, and the component along
each direction or in each column: in which share of pairs the served sample lies beyond the training sample (Mann and Whitney's U
over n m: 0.5 where they are alike), with Newcombe's interval (2006, "Confidence intervals for an effect size measure based on
the Mann-Whitney statistic. Part 2", method 5). Training samples of one group count as one. All intervals together hold in 95 %
of cases (Bonferroni), so that more figures make no more false alarms.

Served samples of one group, such as a patient, count as one where the client says whose they are. Those of which it does not are
taken to be alike by as much as those of a group in development, by a design effect: an assumption, which the sentence names. Data
that match the training data in all of this may still get wrong answers: only labels show that.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from pipeline.core.artifacts import JSON
from pipeline.monitoring.histograms import Reference, Tally
from pipeline.stats import intervals

DAYS = 7  # that are compared together
FEW = 50  # samples, below which there is no verdict
# Margins: a difference whose interval is beyond them is an alarm.
REFUSED = 0.05  # of the share of refused samples, if larger
ANSWERS = 0.15  # of the share of an answer, larger or smaller
BEYOND = 0.64  # of a share of pairs; Vargha and Delaney (2000) call this a medium difference
NOTED = 1.1  # the design effect from which on it is said that there is one
NAMES = {"image": ("image", "images"), "table": ("row", "rows")}


Verdict = Literal["unknown", "too few", "alike", "shifted", "unlike"]
Of = Literal["refused", "distance", "place", "answer"]  # what a figure is of


@dataclass(frozen=True)
class Figure:
    """A comparison with the training data and its interval. `alarm`: surely beyond its margin; `differs`: surely different.

    Of refused samples and of an answer, the share `served`, in `training` and the `difference`; of distance and of a component,
    in which share of pairs the served sample lies `beyond` the training sample.
    """

    of: Of
    name: str
    ci: tuple[float, float]
    alarm: bool
    differs: bool
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


@dataclass(frozen=True)
class DriftReport:
    """What was served in so many `days` to a champion, compared with its training data.

    The verdict is unknown, too few (under `at_least` samples), alike, shifted (surely different, but not surely by as much as the
    margins) or unlike.
    """

    verdict: Verdict
    sentence: str
    days: int
    n: int
    figures: list[Figure] = field(default_factory=list)
    at_least: int = FEW

    def to_json(self) -> JSON:
        """Return the content of JSON."""
        return vars(self) | {"figures": [figure.to_json() for figure in self.figures]}


def compare(served: Tally, reference: Reference | None, kind: str, days: int = DAYS) -> DriftReport:
    """Return the report on what was `served` in `days` to a champion of `kind` image or table.

    `reference` stands in the champion's bundle; it is None in one made before there were any.
    """
    many = NAMES[kind][1]
    if reference is None:
        text = "The bundle has no reference of its training data to compare with: run 'dvc repro' to export it again."
        return DriftReport("unknown", text, days, served.n)
    if served.n < FEW:
        text = f"Too few to compare: {served.n} {many} in the last {days} days; at least {FEW} are needed."
        return DriftReport("too few", text, days, served.n)
    compared = figures(served, reference)
    is_alarm, is_different = any(figure.alarm for figure in compared), any(figure.differs for figure in compared)
    verdict: Verdict = "unlike" if is_alarm else "shifted" if is_different else "alike"
    text = sentence(verdict, compared, kind, days) + assumption(served, reference)
    return DriftReport(verdict, text, days, served.n, compared)


def key_of(of: Of, name: str) -> str:
    """Return the name of a figure among the design effects."""
    return f"{of} {name}" if name else of


def assumption(served: Tally, reference: Reference) -> str:
    """Return the sentence on samples of which it is not known whose they are, "" where there is nothing to assume."""
    most = max(reference.design_effects.values(), default=1.0)
    if served.grouped == served.n or most < NOTED:
        return ""
    n = served.n - served.grouped
    return (
        f" {n} of {served.n} came without a group, so it is assumed that as many are of one patient as in development (design "
        f"effect up to {most:.1f}): send group to have patients counted."
    )


def figures(served: Tally, reference: Reference) -> list[Figure]:
    """Return the figures of `compare`: refused, distance, components in the order of the reference's names, answers by class."""
    trained = reference.tally
    classes = list(trained.answers)
    classes = classes if len(classes) > 2 else classes[-1:]  # of two classes one share gives the other
    level = 1 - (1 - intervals.LEVEL) / (2 + len(reference.names) + len(classes))

    def weights(of: Of, name: str) -> tuple[float, float]:
        effect = reference.design_effects.get(key_of(of, name), 1.0)
        return served.independent(effect), min(reference.n_groups / trained.n, 1 / effect)

    def share(of: Of, name: str, k: int, n: int, k_trained: int, n_trained: int, margin: float) -> Figure:
        a, b = k / n, k_trained / n_trained
        of_served, weight = weights(of, name)
        a_ends = intervals.wilson(k * of_served, n * of_served, level)
        b_ends = intervals.wilson(k_trained * weight, n_trained * weight, level)
        low, high = intervals.of_difference(a, list(a_ends), b, list(b_ends))
        alarm = low > margin or (of == "answer" and high < -margin)
        return Figure(of, name, (low, high), alarm, low > 0 or high < 0, served=a, training=b, difference=a - b)

    def pairs(of: Of, name: str, a: np.ndarray, b: np.ndarray) -> Figure:
        beyond = superiority(a, b)
        of_served, weight = weights(of, name)
        low, high = superiority_interval(beyond, a.sum() * of_served, b.sum() * weight, level)
        alarm = low > BEYOND or (of == "place" and high < 1 - BEYOND)
        return Figure(of, name, (low, high), alarm, low > 0.5 or (of == "place" and high < 0.5), beyond=beyond)

    compared = [share("refused", "", served.refused, served.n, trained.refused, trained.n, REFUSED)]
    if served.distance.sum():
        compared.append(pairs("distance", "", served.distance, trained.distance))
    for name, a, b in zip(reference.names, served.components, trained.components, strict=False):
        if a.sum() and b.sum():
            compared.append(pairs("place", name, a, b))
    n, n_trained = served.n - served.refused, trained.n - trained.refused
    for name in classes if n and n_trained else []:
        compared.append(
            share("answer", name, served.answers.get(name, 0), n, trained.answers[name], n_trained, ANSWERS)
        )
    return compared


def superiority(a: np.ndarray, b: np.ndarray) -> float:
    """Return the share of pairs in which the sample of histogram `a` lies in a higher bin than that of `b`; ties count half."""
    below = np.cumsum(b) - b / 2
    return float((a * below).sum() / (a.sum() * b.sum()))


def superiority_interval(theta: float, m: float, n: float, level: float) -> tuple[float, float]:
    """Return Newcombe's interval (low, high) of a share of pairs of `m` and `n` samples: the values of theta for which the
    observed one is at the end of the likely range. It also holds where all pairs are of one kind.
    """
    z = intervals.NORMAL.inv_cdf((1 + level) / 2)

    def deviation(t: float) -> float:
        middle = (m + n) / 2 - 1
        return z * (t * (1 - t) * (1 + middle * ((1 - t) / (2 - t) + t / (1 + t))) / (m * n)) ** 0.5

    def end(towards: float) -> float:
        inside, outside = theta, towards
        for _ in range(50):  # halved: the likely ends where the deviation is smaller than the difference
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if abs(middle - theta) <= deviation(middle) else (inside, middle)
        return inside

    return end(0.0), end(1.0)


def sentence(verdict: Verdict, compared: list[Figure], kind: str, days: int) -> str:
    """Return the verdict in words, with the figures that it rests on."""
    many = NAMES[kind][1]
    refused = compared[0]
    shares = f"{refused.served:.0%} refused against {refused.training:.0%}"
    if verdict == "alike":
        return f"No evidence that the {many} of the last {days} days differ from the training data: {shares}."
    significant = [figure for figure in compared if (figure.alarm if verdict == "unlike" else figure.differs)]
    reasons = "; ".join([shares, *(in_words(figure, kind) for figure in strongest(significant))])
    if verdict == "unlike":
        text = f"The {many} of the last {days} days are clearly different from the training data: {reasons}."
        return f"{text} Collect labels before trusting the answers."
    return f"The {many} of the last {days} days differ from the training data, perhaps only slightly: {reasons}."


def strongest(compared: list[Figure]) -> list[Figure]:
    """Return the strongest figure of distance, of the components and of the answers, where there is one."""
    of_each = [[figure for figure in compared if figure.of == of] for of in ("distance", "place", "answer")]
    return [max(same, key=lambda figure: figure.size) for same in of_each if same]


def in_words(figure: Figure, kind: str) -> str:
    """Return a figure as a clause."""
    low, high = figure.ci
    sample = NAMES[kind][0]
    if figure.beyond is None:
        points = (
            f"difference {100 * (figure.difference or 0):+.0f} points, interval {low * 100:+.0f} to {high * 100:+.0f}"
        )
        return f"{figure.served:.0%} answered {figure.name} against {figure.training:.0%} ({points})"
    if figure.of == "distance":
        pairs = f"{figure.beyond:.0%} of pairs"
        return f"in {pairs} the served {sample} is farther off than the training {sample} ({low:.0%} to {high:.0%})"
    where = f"along {figure.name}" if kind == "image" else f"in column {figure.name!r}"
    side, share, ends = "above", figure.beyond, (low, high)
    if share < 0.5:
        side, share, ends = "below", 1 - share, (1 - high, 1 - low)
    pairs = f"{share:.0%} of pairs ({ends[0]:.0%} to {ends[1]:.0%})"
    return f"{where} the served {sample} lies {side} the training {sample} in {pairs}"
