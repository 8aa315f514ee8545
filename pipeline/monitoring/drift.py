"""Compare the samples that a champion receives with its training data, from counts (see `monitoring.histograms`).

What is compared and how stands in `monitoring.comparisons`. Served samples of one group, such as a patient, count as one where
the client says whose they are. Those of which it does not are taken to be alike by as much as those of a group in development, by
a design effect: an assumption, which the sentence names. Data that match the training data in all of this may still get wrong
answers: only labels show that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipeline.core.artifacts import JSON
from pipeline.monitoring.comparisons import DAYS, Figure, figures
from pipeline.monitoring.histograms import Reference, Tally

NOTED = 1.1  # the design effect from which on it is said that there is one
FEW = 50  # samples, below which there is no verdict
NAMES = {"image": ("image", "images"), "table": ("row", "rows")}


Verdict = Literal["unknown", "too few", "alike", "shifted", "unlike"]


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


def compare(weeks: Sequence[Tally], reference: Reference | None, kind: str) -> DriftReport:
    """Return the report on what was served in some `weeks`, the last one last, to a champion of `kind` image or table.

    `reference` stands in the champion's bundle; it is None in one made before there were any.
    """
    many, days, served = NAMES[kind][1], DAYS, weeks[-1]
    if reference is None:
        text = "The bundle has no reference of its training data to compare with: run 'dvc repro' to export it again."
        return DriftReport("unknown", text, days, served.n)
    if served.n < FEW:
        text = f"Too few to compare: {served.n} {many} in the last {days} days; at least {FEW} are needed."
        return DriftReport("too few", text, days, served.n)
    compared = figures(weeks, reference)
    is_alarm, is_different = any(figure.alarm for figure in compared), any(figure.differs for figure in compared)
    verdict: Verdict = "unlike" if is_alarm else "shifted" if is_different else "alike"
    text = sentence(verdict, compared, kind, days) + assumption(served, reference)
    return DriftReport(verdict, text, days, served.n, compared)


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


KINDS = (("distance",), ("missing",), ("outside",), ("category",), ("place",), ("answer", "probability"))


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
    """Return the strongest figure of each of `KINDS`, where there is one."""
    of_each = [[figure for figure in compared if figure.of in kinds] for kinds in KINDS]
    return [max(same, key=lambda figure: (figure.alarm, figure.size)) for same in of_each if same]


def in_words(figure: Figure, kind: str) -> str:
    """Return a figure as a clause."""
    low, high = figure.ci
    when = "" if figure.days == DAYS else f" over {figure.days} days"
    if figure.beyond is None:
        points = (
            f"difference {100 * (figure.difference or 0):+.0f} points, interval {low * 100:+.0f} to {high * 100:+.0f}"
        )
        where = "in content" if kind == "image" else f"of {figure.name!r}"
        what = {
            "answer": f"answered {figure.name}",
            "missing": f"without a value {where}",
            "outside": f"out of the training range {where}",
            "category": f"with {figure.name}",
        }[figure.of]
        return f"{figure.served:.0%} {what} against {figure.training:.0%}{when} ({points})"
    return of_pairs(figure, kind) + when


def of_pairs(figure: Figure, kind: str) -> str:
    """Return a share of pairs as a clause."""
    (low, high), share, sample = figure.ci, figure.beyond or 0.0, NAMES[kind][0]
    if figure.of == "distance":
        pairs = f"{share:.0%} of pairs"
        return f"in {pairs} the served {sample} is farther off than the training {sample} ({low:.0%} to {high:.0%})"
    side, ends = "above", (low, high)
    if share < 0.5:
        side, share, ends = "below", 1 - share, (1 - high, 1 - low)
    pairs = f"{share:.0%} of pairs ({ends[0]:.0%} to {ends[1]:.0%})"
    if figure.of == "probability":
        return f"the probability of the served {sample} lies {side} that of the training {sample} in {pairs}"
    if kind == "image":  # its directions have no names; the app shows images for them
        return f"in one direction of content, the served image lies on the same side of the training image in {pairs}"
    return f"in column {figure.name!r} the served {sample} lies {side} the training {sample} in {pairs}"
