"""Counts of what a champion was shown, in fixed bins: no image, row or name. Served and out-of-fold samples are counted alike.

Where a sample lies is counted twice: its distance to the training data, and its place along each direction in which training
data vary most (of a table: each number's place in the range of its column). Images of another camera may all lie within the
usual distance, and yet all on one side.
"""

from bisect import bisect_left
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import numpy as np

from pipeline.prediction.answer import Item, OodScore

PROBABILITIES = 20  # bins of 0 to 1
DISTANCE, FARTHEST = 0.05, 60  # width of a bin, in thresholds of refusal; the last bin holds all from 3 on
PLACE, EDGE = 0.25, 4  # width of a bin, and where the bins end on either side; one more on either side holds the rest
PLACES = round(2 * EDGE / PLACE) + 2
SECONDS = (
    0.002,
    0.005,
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
)  # upper ends of the bins of latency; one more holds the rest
EDGES = np.arange(-EDGE, EDGE + PLACE, PLACE)


@dataclass
class Tally:
    """What was counted of some samples. `answers` by class; the unreadable are in no histogram but that of seconds.

    distance (61,), probability (20,) of the positive class, of more than two of the most probable one, where there was an
    answer; places (k, 34); seconds (12,). All int64.
    """

    answers: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    unreadable: int = 0
    distance: np.ndarray = field(default_factory=partial(np.zeros, FARTHEST + 1, np.int64))
    probability: np.ndarray = field(default_factory=partial(np.zeros, PROBABILITIES, np.int64))
    places: np.ndarray = field(default_factory=partial(np.zeros, (0, PLACES), np.int64))
    seconds: np.ndarray = field(default_factory=partial(np.zeros, len(SECONDS) + 1, np.int64))

    @property
    def n(self) -> int:
        """How many samples could be read."""
        return sum(self.answers.values()) + self.refused

    def add(self, item: Item, ood: OodScore | None, seconds: float) -> None:
        """Count one sample's item and its `Prediction.ood`."""
        self.seconds[bisect_left(SECONDS, seconds)] += 1
        if ood is not None and ood.distance is not None:
            self._add_place(ood.distance, ood.components)
        if item["class"]:
            self.answers[item["class"]] = self.answers.get(item["class"], 0) + 1
            *_, last = proba = item["probabilities"].values()
            shown = last if len(proba) == 2 else max(proba)
            self.probability[min(int(shown * PROBABILITIES), PROBABILITIES - 1)] += 1
        elif ood is not None:
            self.refused += 1
        else:
            self.unreadable += 1

    def _add_place(self, distance: float, places: np.ndarray) -> None:
        self.distance[int(min(FARTHEST, distance / DISTANCE))] += 1
        if len(self.places) != len(places):
            self.places = np.zeros((len(places), PLACES), np.int64)
        bins, known = place_bins(places)
        self.places[known, bins] += 1

    def __add__(self, other: "Tally") -> "Tally":
        names = {**self.answers, **other.answers}
        answers = {name: self.answers.get(name, 0) + other.answers.get(name, 0) for name in names}
        if not len(other.places) or not len(self.places):
            places = self.places if len(self.places) else other.places
        else:
            places = self.places + other.places
        return Tally(
            answers,
            self.refused + other.refused,
            self.unreadable + other.unreadable,
            self.distance + other.distance,
            self.probability + other.probability,
            places,
            self.seconds + other.seconds,
        )

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in asdict(self).items()
        }


def from_json(content: dict[str, Any]) -> Tally:
    """Return what `Tally.to_json` gave; raise ValueError where it is of other bins, or not that at all."""
    try:
        tally = Tally(**{name: np.asarray(v, np.int64) if isinstance(v, list) else v for name, v in content.items()})
        tally.places = tally.places.reshape(-1, PLACES)
        whole = [*tally.answers.values(), tally.refused, tally.unreadable]
        shapes = [getattr(tally, name).shape for name in ("distance", "probability", "seconds")]
    except (TypeError, AttributeError, ValueError, OverflowError):
        raise ValueError("no counts") from None
    if shapes != [(FARTHEST + 1,), (PROBABILITIES,), (len(SECONDS) + 1,)] or not all(type(n) is int for n in whole):
        raise ValueError("counts of other bins")
    return tally


def place_bins(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the bin of each of the places (k,) that are known, and the numbers of these."""
    missing = places != places
    known = np.flatnonzero(~missing) if missing.any() else np.arange(len(places))
    return EDGES.searchsorted(places[known], "right"), known


def expected(
    classes: list[str], decided: np.ndarray, proba: np.ndarray, seen: tuple[np.ndarray, np.ndarray], refused: np.ndarray
) -> Tally:
    """Return what is to be expected of samples like the training data, from out-of-fold predictions of n of them.

    `decided` int (n,), `proba` (n, n_classes), `seen` distances in thresholds (n,) and places (n, k), `refused` bool (n,).
    """
    distance, places = seen
    tally = Tally(refused=int(refused.sum()), places=np.zeros((places.shape[1], PLACES), np.int64))
    tally.answers = {name: int((decided[~refused] == k).sum()) for k, name in enumerate(classes)}
    shown = proba[:, 1] if len(classes) == 2 else proba.max(axis=1)
    of_share = np.minimum((shown[~refused] * PROBABILITIES).astype(int), PROBABILITIES - 1)
    tally.probability += np.bincount(of_share, minlength=PROBABILITIES)
    tally.distance += np.bincount(np.minimum(distance / DISTANCE, FARTHEST).astype(int), minlength=FARTHEST + 1)
    for row in places:
        bins, known = place_bins(row)
        tally.places[known, bins] += 1
    return tally


def quantile(seconds: np.ndarray, share: float) -> float | None:
    """Return the upper end of the bin of latency in which the quantile lies; None without a sample, infinity for the last."""
    if not seconds.sum():
        return None
    return [*SECONDS, float("inf")][int(np.searchsorted(np.cumsum(seconds), share * seconds.sum()))]
