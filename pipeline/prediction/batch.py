"""Predict many samples at once, with the bits that `Predictor.score` gives for each alone.

Preparation, trees and neighbours in a table do the same arithmetic for each row of a batch; `light_model` multiplies row by
row. An estimator whose library adds in another order for many rows is noticed: some of the rows are predicted alone as well, and
where a bit differs, all of them are.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.core.threads import one_thread
from pipeline.data.image_with_columns import ImageWithColumns
from pipeline.prediction import ood_images, ood_tables
from pipeline.prediction.decision_rule import calibrate
from pipeline.prediction.explanation import LoadedSample
from pipeline.prediction.predictor import Predictor

ROWS = 2048  # at once: 21 MB of embeddings as float64
ALONE = 24  # rows that are also predicted alone, as far apart as they go: 0.1 s for a table


@dataclass(frozen=True)
class BatchScores:
    """Probabilities of samples, float64 (n, n_classes), before calibration and after it, and who is refused, bool (n,)."""

    raw: np.ndarray
    proba: np.ndarray
    refused: np.ndarray

    def equals(self, other: "BatchScores") -> bool:
        """Return whether every bit is the same."""
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in vars(self))

    def of_rows(self, rows: np.ndarray) -> "BatchScores":
        """Return the scores of these rows."""
        return BatchScores(*(values[rows] for values in vars(self).values()))


def joined(parts: list[BatchScores]) -> BatchScores:
    """Return the scores of one part after the other."""
    return BatchScores(*(np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])))


def score_alone(predictor: Predictor, samples: list[LoadedSample]) -> BatchScores:
    """Return the scores of samples, at least one, each predicted alone as a server does."""
    scores = [predictor.score(sample) for sample in samples]
    raw, proba = (np.stack([getattr(score, name) for score in scores]) for name in ("raw", "proba"))
    return BatchScores(raw, proba, np.array([score.ood.is_refused for score in scores]))


def score_rows(predictor: Predictor, X: Any, compared: np.ndarray, at_once: int = ROWS) -> BatchScores:
    """Return the scores of samples, at least one, whose features are X, an array, a DataFrame or `ImageWithColumns`.

    `compared` (n, n_features) is what of images is compared with the training data, (0, 0) for a table.
    """
    n = len(X)
    starts = range(0, n, at_once)
    # Boosted trees start threads anew for each of 150 trees, which takes ten times as long as a row does
    with one_thread():
        scores = joined([_at_once(predictor, X[i : i + at_once], compared[i : i + at_once]) for i in starts])
        checked = np.unique(np.linspace(0, n - 1, ALONE).astype(int))
        if scores.of_rows(checked).equals(score_alone(predictor, _loaded(X, compared, checked))):
            return scores
        return score_alone(predictor, _loaded(X, compared, np.arange(n)))


def _loaded(X: Any, compared: np.ndarray, rows: np.ndarray) -> list[LoadedSample]:
    return [LoadedSample(X[row : row + 1], compared[row : row + 1]) for row in rows]


def _at_once(predictor: Predictor, X: Any, compared: np.ndarray) -> BatchScores:
    raw = np.asarray(predictor.model.predict_proba(X), np.float64)
    return BatchScores(raw, calibrate(raw, predictor.rule), _refused(predictor, X, compared))


def _refused(predictor: Predictor, X: Any, compared: np.ndarray) -> np.ndarray:
    """Return who is refused, as `ood.score` has it for one sample."""
    info, limit = predictor.info, predictor.rule.refusal
    if info.is_table and not info.is_vector:
        return ood_tables.distances_and_components(X, info.schema)[0] > limit
    if limit == np.inf:
        return np.zeros(len(X), bool)
    refused = ood_images.distances(predictor.reference, compared) > limit
    if isinstance(X, ImageWithColumns):
        refused |= ood_tables.distances_and_components(X.columns, info.schema)[0] > ood_tables.FAR
    return refused
