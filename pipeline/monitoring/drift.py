"""Is what a champion is shown like what it was trained on? From counts alone (see `monitoring.histograms`), with intervals.

Shares (refused, each answer): the difference to out-of-fold samples with Newcombe's interval. Distance, and place along each
direction or in each column: in which share of pairs the served sample lies beyond the training sample (Mann and Whitney's U
over n m: 0.5 where they are alike), with Newcombe's interval (2006, "Confidence intervals for an effect size measure based on
the Mann-Whitney statistic. Part 2", method 5). Training samples of one group count as one. All intervals together hold in 95 %
of cases (Bonferroni), so that more figures make no more false alarms.

They count served samples as independent: with ten images of each patient, the intervals are too narrow. And data
may match the training data in all of this while the answers are wrong: only labels show that.
"""

from typing import Any

import numpy as np

from pipeline.monitoring import histograms
from pipeline.monitoring.histograms import Tally
from pipeline.stats import intervals

DAYS = 7  # that are compared together
FEW = 50  # samples below which there is no verdict
REFUSED = 0.05  # a share of refused samples that is surely larger by more is an alarm
ANSWERS = 0.15  # as is that of an answer which is surely larger or smaller by more
BEYOND = 0.64  # as is a share of pairs; Vargha and Delaney (2000) call this a medium difference
NAMES = {"image": ("image", "images"), "table": ("row", "rows")}


def compare(served: Tally, reference: dict[str, Any] | None, kind: str, days: int = DAYS) -> dict[str, Any]:
    """Return verdict, sentence, n and figures of what was `served` in `days` to a champion of `kind` image or table.

    `reference` stands in the champion's bundle (see `monitoring.baseline`); it is None in one made before there were any. The
    verdict is unknown, too few, alike, shifted (surely different, but not surely by as much as the margins above) or unlike. A
    figure: of, name, served, training, difference and ci, or beyond and ci; alarm (beyond its margin) and differs.
    """
    many = NAMES[kind][1]
    report: dict[str, Any] = {"days": days, "n": served.n, "at_least": FEW, "figures": []}
    if reference is None:
        return report | {
            "verdict": "unknown",
            "sentence": "The bundle has no reference of its training data to compare with: run 'dvc repro' to export it again.",
        }
    if served.n < FEW:
        text = f"Too few to compare: {served.n} {many} in the last {days} days; at least {FEW} are needed."
        return report | {"verdict": "too few", "sentence": text}
    report["figures"] = figures(served, reference)
    states = {key for figure in report["figures"] for key in ("alarm", "differs") if figure[key]}
    verdict = "unlike" if "alarm" in states else "shifted" if states else "alike"
    return report | {"verdict": verdict, "sentence": sentence(verdict, report["figures"], kind, days)}


def figures(served: Tally, reference: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the figures of `compare`: refused, distance, places in the order of the reference's names, answers by class."""
    trained = histograms.from_json({key: value for key, value in reference.items() if key not in ("n_groups", "names")})
    weight = reference["n_groups"] / trained.n
    classes = trained.answers if len(trained.answers) > 2 else list(trained.answers)[-1:]  # of two the one says both
    level = 1 - (1 - intervals.LEVEL) / (2 + len(reference["names"]) + len(classes))

    def share(of: str, name: str, k: int, n: int, k_trained: int, n_trained: int, margin: float) -> dict[str, Any]:
        a, b = k / n, k_trained / n_trained
        a_ends = intervals.wilson(k, n, level)
        b_ends = intervals.wilson(k_trained * weight, n_trained * weight, level)
        low, high = intervals.of_difference(a, list(a_ends), b, list(b_ends))
        alarm = low > margin or (of == "answer" and high < -margin)
        facts = {"served": a, "training": b, "difference": a - b, "ci": [low, high]}
        return {"of": of, "name": name} | facts | {"alarm": alarm, "differs": low > 0 or high < 0}

    def pairs(of: str, name: str, a: np.ndarray, b: np.ndarray) -> dict[str, Any]:
        beyond = superiority(a, b)
        low, high = superiority_interval(beyond, a.sum(), b.sum() * weight, level)
        alarm = low > BEYOND or (of == "place" and high < 1 - BEYOND)
        differs = low > 0.5 or (of == "place" and high < 0.5)
        return {"of": of, "name": name, "beyond": beyond, "ci": [low, high], "alarm": alarm, "differs": differs}

    compared = [share("refused", "", served.refused, served.n, trained.refused, trained.n, REFUSED)]
    if served.distance.sum():
        compared.append(pairs("distance", "", served.distance, trained.distance))
    for name, a, b in zip(reference["names"], served.places, trained.places, strict=False):
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
    """Return Newcombe's interval (low, high) of a share of pairs of `m` and `n` samples: the theta for which the one found
    lies at the end of what is likely. It holds where all pairs are of one kind, too.
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


def sentence(verdict: str, compared: list[dict[str, Any]], kind: str, days: int) -> str:
    """Return the verdict in words, with the figures that it rests on."""
    many = NAMES[kind][1]
    refused = compared[0]
    shares = f"{refused['served']:.0%} refused against {refused['training']:.0%}"
    if verdict == "alike":
        return f"No evidence that the {many} of the last {days} days differ from the training data: {shares}."
    reasons = [shares, *strongest(compared, "alarm" if verdict == "unlike" else "differs", kind)]
    what = "; ".join(reasons)
    if verdict == "unlike":
        text = f"The {many} of the last {days} days are clearly different from the training data: {what}."
        return f"{text} Collect labels before trusting the answers."
    return f"The {many} of the last {days} days differ from the training data, perhaps only slightly: {what}."


def strongest(compared: list[dict[str, Any]], key: str, kind: str) -> list[str]:
    """Return words for the strongest figure of distance, of places and of answers, where it has a true `key`."""
    clauses = []
    for of in ("distance", "place", "answer"):
        some = [figure for figure in compared if figure["of"] == of and figure[key]]
        if some:
            clauses.append(
                in_words(
                    max(some, key=lambda figure: abs(figure.get("beyond", 0.5 + figure.get("difference", 0)) - 0.5)),
                    kind,
                )
            )
    return clauses


def in_words(figure: dict[str, Any], kind: str) -> str:
    """Return a figure as a clause."""
    low, high = figure["ci"]
    sample = NAMES[kind][0]
    if figure["of"] in ("refused", "answer"):
        what = "refused" if figure["of"] == "refused" else f"answered {figure['name']}"
        points = f"difference {figure['difference'] * 100:+.0f} points, interval {low * 100:+.0f} to {high * 100:+.0f}"
        return f"{figure['served']:.0%} {what} against {figure['training']:.0%} ({points})"
    if figure["of"] == "distance":
        pairs = f"{figure['beyond']:.0%} of pairs"
        return f"in {pairs} the served {sample} is farther off than the training {sample} ({low:.0%} to {high:.0%})"
    where = f"along {figure['name']}" if kind == "image" else f"in column {figure['name']!r}"
    side, share, ends = "above", figure["beyond"], (low, high)
    if share < 0.5:
        side, share, ends = "below", 1 - share, (1 - high, 1 - low)
    pairs = f"{share:.0%} of pairs ({ends[0]:.0%} to {ends[1]:.0%})"
    return f"{where} the served {sample} lies {side} the training {sample} in {pairs}"
