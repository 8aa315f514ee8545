"""Counts of the samples that a champion received, in fixed bins: no image, row or name. Out-of-fold samples are counted alike.

A sample's position is counted twice: its distance to the training data, and its component along each direction in which
training data vary most (of a table: each number's position in the range of its column). Images of another camera may all lie
within the usual distance, and yet all on one side.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import numpy as np

from pipeline.core.artifacts import JSON
from pipeline.prediction.answer import Item, OodScore

PROBABILITIES = 20  # bins of 0 to 1
CONFIDENCES = 100  # bins of 0 to 1, from whose middles accuracy is estimated
DISTANCE, FARTHEST = 0.05, 60  # width of a bin, in thresholds of refusal; the last bin holds all from 3 on
# Width of a bin, and where the bins end on either side; one more on either side holds the rest.
COMPONENT, EDGE = (0.25, 4)
BINS = round(2 * EDGE / COMPONENT) + 2  # of a component
# upper ends of the bins of latency; one more holds the rest
SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
OWN = ("n_groups", "names", "design_effects")  # of a reference, besides its counts
# Not in older files.
LATER = ("new_categories", "categories", "confidence", "outcomes", "outcome_scores", "grouped", "squares")
BY_CLASS = {"confidence", "outcome_scores"}  # histograms
T = TypeVar("T")
EDGES = np.arange(-EDGE, EDGE + COMPONENT, COMPONENT)


@dataclass
class Tally:
    """Counts of samples: `answers` by class; unreadable ones are in no histogram but that of seconds.

    `new_categories`: by column, how many samples had a category that training never saw; `categories`: by column, how many had
    each that it saw, or "" for a missing one. `confidence`: by answered class, its probability, (100,). `outcomes`: by actual
    class, which became known later, how many had each answer, "" for refused; `outcome_scores`: by actual class, `probability`
    of those that were answered, (20,).
    `grouped`: of how many it is known whose they are, and `squares`: the sum of the squares of the sizes of their groups.

    distance (61,), probability (20,) of the positive class (with more than two, of the most probable one), where there was an
    answer; components (k, 34), in JSON `places`; seconds (12,). All int64.
    """

    answers: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    unreadable: int = 0
    distance: np.ndarray = field(default_factory=partial(np.zeros, FARTHEST + 1, np.int64))
    probability: np.ndarray = field(default_factory=partial(np.zeros, PROBABILITIES, np.int64))
    components: np.ndarray = field(default_factory=partial(np.zeros, (0, BINS), np.int64))
    seconds: np.ndarray = field(default_factory=partial(np.zeros, len(SECONDS) + 1, np.int64))
    new_categories: dict[str, int] = field(default_factory=dict)
    grouped: int = 0
    squares: int = 0
    categories: dict[str, dict[str, int]] = field(default_factory=dict)
    confidence: dict[str, np.ndarray] = field(default_factory=dict)
    outcomes: dict[str, dict[str, int]] = field(default_factory=dict)
    outcome_scores: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """How many samples could be read."""
        return sum(self.answers.values()) + self.refused

    def add(self, item: Item, ood: OodScore | None, seconds: float, in_group: int | None = None) -> None:
        """Count one sample's item and its `Prediction.ood`; `in_group`: how many of its group were counted before, if known."""
        if in_group is not None:
            self.add_to_group(in_group)
        self.seconds[bisect_left(SECONDS, seconds)] += 1
        if ood is not None and ood.distance is not None and ood.components is not None:
            self._add_position(ood.distance, ood.components)
        for column in ood.new_categories if ood is not None else ():
            self.new_categories[column] = self.new_categories.get(column, 0) + 1
        for column, value in ood.categories if ood is not None else ():
            of_column = self.categories.setdefault(column, {})
            of_column[value] = of_column.get(value, 0) + 1
        if item["class"]:
            self.answers[item["class"]] = self.answers.get(item["class"], 0) + 1
            confidence = self.confidence.setdefault(item["class"], np.zeros(CONFIDENCES, np.int64))
            confidence[bin_of(item["probabilities"][item["class"]], CONFIDENCES)] += 1
            *_, last = proba = item["probabilities"].values()
            shown = last if len(proba) == 2 else max(proba)
            self.probability[bin_of(shown)] += 1
        elif ood is not None:
            self.refused += 1
        else:
            self.unreadable += 1

    def add_to_group(self, in_group: int) -> None:
        """Count one sample's group as known; `in_group`: how many of it were counted before."""
        self.grouped, self.squares = self.grouped + 1, self.squares + 2 * in_group + 1

    def independent(self, design_effect: float) -> float:
        """Return how many independent samples each is worth, at most 1.

        Samples of a known group are taken to be alike, so that groups count: (sum of sizes)^2 / sum of squared sizes (Kish 1965,
        "Survey sampling", section 11.7). For others it is 1 / `design_effect`.
        """
        known = self.grouped**2 / self.squares if self.squares else 0.0
        return (known + max(0, self.n - self.grouped) / design_effect) / self.n if self.n else 1.0

    def add_outcome(self, actual: str, answered: str, shown: float | None) -> None:
        """Count a class that became known later; `shown` is the probability as in `probability`, None where it was refused."""
        of_actual = self.outcomes.setdefault(actual, {})
        of_actual[answered] = of_actual.get(answered, 0) + 1
        if shown is not None:
            scores = self.outcome_scores.setdefault(actual, np.zeros(PROBABILITIES, np.int64))
            scores[bin_of(shown)] += 1

    def _add_position(self, distance: float, components: np.ndarray) -> None:
        self.distance[int(min(FARTHEST, distance / DISTANCE))] += 1
        if len(self.components) != len(components):
            self.components = np.zeros((len(components), BINS), np.int64)
        bins, known = component_bins(components)
        self.components[known, bins] += 1

    def __add__(self, other: "Tally") -> "Tally":
        if not len(other.components) or not len(self.components):
            components = self.components if len(self.components) else other.components
        else:
            components = self.components + other.components
        return Tally(
            _sum(self.answers, other.answers),
            self.refused + other.refused,
            self.unreadable + other.unreadable,
            self.distance + other.distance,
            self.probability + other.probability,
            components,
            self.seconds + other.seconds,
            _sum(self.new_categories, other.new_categories),
            self.grouped + other.grouped,
            self.squares + other.squares,
            _sum_each(self.categories, other.categories),
            _sum(self.confidence, other.confidence, np.zeros(CONFIDENCES, np.int64)),
            _sum_each(self.outcomes, other.outcomes),
            _sum(self.outcome_scores, other.outcome_scores, np.zeros(PROBABILITIES, np.int64)),
        )

    def to_json(self) -> JSON:
        """Return what `from_json` reads; without what is empty of `LATER`, as before it was counted."""
        content = {
            "places" if name == "components" else name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in vars(self).items()
            if name not in LATER or value
        }
        for name in BY_CLASS & content.keys():
            content[name] = {label: counts.tolist() for label, counts in content[name].items()}
        return content

    @classmethod
    def from_json(cls, content: JSON) -> "Tally":
        """Return what `to_json` gave; raise ValueError where it is of other bins, or not that at all."""
        try:
            arrays = {name: np.asarray(v, np.int64) if isinstance(v, list) else v for name, v in content.items()}
            if "places" in arrays:
                arrays["components"] = arrays.pop("places")
            tally = cls(**arrays)  # type: ignore[arg-type] # checked below
            tally.components = tally.components.reshape(-1, BINS)
            for name in BY_CLASS:
                by_class = getattr(tally, name).items()
                setattr(tally, name, {label: np.asarray(counts, np.int64) for label, counts in by_class})
            whole = [*tally.answers.values(), *tally.new_categories.values(), tally.refused, tally.unreadable]
            whole += [tally.grouped, tally.squares]
            whole += [n for by in (tally.categories, tally.outcomes) for of in by.values() for n in of.values()]
            shapes = [getattr(tally, name).shape for name in ("distance", "probability", "seconds")]
            expected = [(FARTHEST + 1,), (PROBABILITIES,), (len(SECONDS) + 1,)]
            shapes += [counts.shape for counts in tally.confidence.values()]
            expected += [(CONFIDENCES,)] * len(tally.confidence)
            shapes += [counts.shape for counts in tally.outcome_scores.values()]
            expected += [(PROBABILITIES,)] * len(tally.outcome_scores)
        except (TypeError, AttributeError, ValueError, OverflowError):
            raise ValueError("no counts") from None
        if shapes != expected or not all(type(n) is int for n in whole):
            raise ValueError("counts of other bins")
        return tally


@dataclass(frozen=True)
class Reference:
    """Counts of out-of-fold samples: what to expect of samples like the training data.

    `n_groups`: how many groups the samples are of; `names`: the components, in the order of `Tally.components`.
    `design_effects`: by figure, see `design_effect`; none where every group is one sample.
    """

    tally: Tally
    n_groups: int
    names: list[str]
    design_effects: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> JSON:
        """Return the content of `reference` in a bundle's metrics."""
        content = self.tally.to_json() | {"n_groups": self.n_groups, "names": self.names}
        return content | ({"design_effects": self.design_effects} if self.design_effects else {})

    @classmethod
    def from_json(cls, content: JSON) -> "Reference":
        """Return what `to_json` gave."""
        tally = {name: value for name, value in content.items() if name not in OWN}
        return cls(Tally.from_json(tally), content["n_groups"], content["names"], content.get("design_effects") or {})


def component_bins(components: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the bin of each of the components (k,) that are known, and the indices of these."""
    missing = components != components
    known = np.flatnonzero(~missing) if missing.any() else np.arange(len(components))
    return EDGES.searchsorted(components[known], "right"), known


def bin_of(p: float, bins: int = PROBABILITIES) -> int:
    """Return the bin of a probability."""
    return min(int(p * bins), bins - 1)


def _sum(first: dict[str, T], second: dict[str, T], none: Any = 0) -> dict[str, T]:
    return {name: first.get(name, none) + second.get(name, none) for name in {**first, **second}}


def _sum_each(first: dict[str, dict[str, int]], second: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    return {name: _sum(first.get(name, {}), second.get(name, {})) for name in {**first, **second}}


def count_predictions(
    classes: list[str],
    decided: np.ndarray,
    proba: np.ndarray,
    distance: np.ndarray,
    components: np.ndarray,
    refused: np.ndarray,
) -> Tally:
    """Return the counts of the out-of-fold predictions of n samples.

    `decided` int (n,), `proba` (n, n_classes), `distance` in thresholds (n,), `components` (n, k), `refused` bool (n,).
    """
    tally = Tally(refused=int(refused.sum()), components=np.zeros((components.shape[1], BINS), np.int64))
    tally.answers = {name: int((decided[~refused] == k).sum()) for k, name in enumerate(classes)}
    shown = proba[:, 1] if len(classes) == 2 else proba.max(axis=1)
    if decided.size:
        p = proba[np.arange(len(decided)), decided]
        for k, name in enumerate(classes):
            own = p[~refused & (decided == k)]
            if len(own):
                bins = np.minimum((own * CONFIDENCES).astype(int), CONFIDENCES - 1)
                tally.confidence[name] = np.bincount(bins, minlength=CONFIDENCES)
    of_share = np.minimum((shown[~refused] * PROBABILITIES).astype(int), PROBABILITIES - 1)
    tally.probability += np.bincount(of_share, minlength=PROBABILITIES)
    tally.distance += np.bincount(np.minimum(distance / DISTANCE, FARTHEST).astype(int), minlength=FARTHEST + 1)
    for row in components:
        bins, known = component_bins(row)
        tally.components[known, bins] += 1
    return tally


def quantile(seconds: np.ndarray, share: float) -> float | None:
    """Return the upper end of the bin of latency in which the quantile lies; None without a sample, infinity for the last."""
    if not seconds.sum():
        return None
    return [*SECONDS, float("inf")][int(np.searchsorted(np.cumsum(seconds), share * seconds.sum()))]


def design_effect(values: np.ndarray, groups: np.ndarray) -> float:
    """Return by how much the variance of the mean of `values` (n,) is larger than of as many independent ones, at least 1.

    By Taylor's linearisation over `groups` (n,); where all values are equal, samples of a group count as alike.
    """
    member, size = np.unique(groups, return_inverse=True, return_counts=True)[1:]
    residues = values - values.mean()
    if not residues.any() or len(size) < 2:
        return float((size**2).sum() / size.sum())
    of_groups = np.bincount(member, residues)
    return max(1.0, float(len(size) / (len(size) - 1) * (of_groups**2).sum() / (residues**2).sum()))
