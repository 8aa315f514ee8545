"""Which unlabelled images to label next: those that the champion is least sure of, without taking the same kind twice.

Margin sampling (Scheffer, Decomain and Wrobel 2001) chooses candidates, several times as many as are asked for; of these each
next one is farthest from those chosen before (k-centre greedy; Sener and Savarese 2018), by position along the directions in
which training images vary. Refused images are not chosen: the model has nothing to say of them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from pipeline.prediction.answer import Prediction

CANDIDATES = 5  # for each one that is chosen
COLUMNS = ("rank", "file", "class", "probability", "margin")


@dataclass(frozen=True)
class Asked:
    """An image whose label would help: the answer so far, its probability, and how far the second class is behind."""

    file: str
    answer: str
    probability: float
    margin: float


def choose(predictions: Iterable[Prediction], n: int) -> list[Asked]:
    """Return at most `n` images to label, the most useful first, of predictions with `item["file"]` as their name."""
    answered = [each for each in predictions if each.item["class"]]
    if not answered:
        return []
    ordered = np.array([sorted(each.item["probabilities"].values()) for each in answered])
    margin = ordered[:, -1] - ordered[:, -2]
    candidates = np.argsort(margin, kind="stable")[: CANDIDATES * n]
    positions = [answered[row].ood.components for row in candidates]  # type: ignore[union-attr] # what is answered has one
    known = all(position is not None for position in positions)
    order = farthest_first(np.nan_to_num(np.array(positions, float)), n) if known else np.arange(len(candidates))[:n]
    return [asked(answered[row], float(margin[row])) for row in candidates[order]]


def asked(prediction: Prediction, margin: float) -> Asked:
    """Return a prediction as an image to label."""
    item = prediction.item
    return Asked(item["file"], item["class"], item["probabilities"][item["class"]], margin)


def farthest_first(positions: np.ndarray, n: int) -> np.ndarray:
    """Return at most `n` rows of `positions`, float (m, k), int: the first, then each time the one farthest from those chosen."""
    chosen = [0]
    distance = np.linalg.norm(positions - positions[0], axis=1)
    distance[0] = -1.0
    while len(chosen) < min(n, len(positions)):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(positions - positions[chosen[-1]], axis=1))
        distance[chosen] = -1.0
    return np.array(chosen)


def as_csv(rows: list[Asked]) -> str:
    """Return images to label as a CSV with `COLUMNS`, and an empty column for the label."""
    import csv
    import io

    out = io.StringIO()
    write: Callable[[list[object]], object] = csv.writer(out, lineterminator="\n").writerow
    write([*COLUMNS, "label"])
    for rank, row in enumerate(rows, start=1):
        write([rank, row.file, row.answer, f"{row.probability:.6f}", f"{row.margin:.6f}", ""])
    return out.getvalue()
