"""Measure how far an image is from the training data, by the features that a model takes; images too far off are refused.

The features are means over positions of two maps in the middle of the pretrained network (`_network.OOD_LAYERS`), the same for
every model but that of classical features, which are compared themselves. The training data are widened by views of theirs
(`data.views`), so that content is judged, and not sharpness, compression or light.

The distance of probabilistic PCA (Tipping and Bishop 1999, equations 6 and 8) between the square roots of features,
which are never negative and vary with their mean. Along the N_AXES directions in which training data vary most, each step
counts by the variance there; all other directions share one. It is divided by the number of features, so that 1 is ordinary.

What is refused of held-out dermoscopy and of degraded copies of it, of clinical photos of skin, of CT slices, histology, noise,
blanks, text and screenshots stands in benchmarks/results/soak_refusal.json (soak/test_refusal.py); which maps were tried, and
with how many axes, in benchmarks/network.md.

Tables: see `prediction.ood_tables`.
"""

from collections.abc import Iterator
from functools import reduce
from itertools import chain
from typing import Literal

import numpy as np

from pipeline.core.mapped_rows import MappedRows, blocks
from pipeline.data.dataset import Views
from pipeline.data.image_with_columns import image_part
from pipeline.prediction.answer import OodScore

N_AXES = 20  # fewer where there are few samples
QUANTILE = 0.975  # of out-of-fold distances: at most one in forty like the training data is refused
VIEW_QUANTILE = 0.96  # of those of views


def compared_features(features: str) -> Literal["ood", "classical"]:
    """Return the name of what is compared of an image, where a model takes these features.

    Networks are compared by maps that no fine-tuning has touched: one that learnt lesions responds little to anything else.
    """
    return "classical" if image_part(features) == "classical" else "ood"


def fit(X: np.ndarray | MappedRows, views: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Return a summary of the training data X, float32 (n, n_features), none negative, and of `views` (m, n_features) of them.

    It holds no sample.

    mean (n_features,), axes (k, n_features) and scales (k + 1,): the standard deviations along them, and in the rest.
    """
    from scipy.linalg import eigh

    n, n_features = len(X) + (0 if views is None else len(views)), X.shape[1]
    mean = sum(root.sum(axis=0) for root in roots(X, views)) / n
    k = max(1, min(N_AXES, len(X) // 4, n_features - 1))
    # The smaller of the two products has the same spectrum: 318 images take 0.03 s instead of 0.6.
    flat = n < n_features
    centred = (root - mean for root in roots(X, views))
    if flat:
        whole = np.vstack(list(centred))
        product = whole @ whole.T
    else:
        product = reduce(np.add, (part.T @ part for part in centred))
    values, vectors = eigh(product, subset_by_index=[len(product) - k, len(product) - 1])
    axes = vectors.T @ whole if flat else vectors.T
    axes = axes / np.maximum(np.linalg.norm(axes, axis=1, keepdims=True), 1e-12)
    rest = max(np.trace(product) - values.sum(), 0) / (n_features - k)
    # Of features that do not span k directions, an eigenvalue of 0 is rounded, to below 0 as well
    scales = np.sqrt(np.append(values.clip(0), rest) / n)
    return {"mean": mean, "axes": axes, "scales": np.maximum(scales, 1e-6)}


def roots(X: np.ndarray | MappedRows, views: np.ndarray | None) -> Iterator[np.ndarray]:
    """Yield the square roots of samples and their views, float64: all at once, or in blocks where samples are mapped."""
    parts: Iterator[np.ndarray] = blocks(X)
    if views is not None:
        parts = chain(parts, [views]) if isinstance(X, MappedRows) else iter([np.vstack([X, views])])
    return (np.sqrt(part, dtype=np.float64) for part in parts)


def distances(reference: dict[str, np.ndarray], X: np.ndarray | MappedRows) -> np.ndarray:
    """Return the distance of each row of X (n, n_features) to the data that `fit` was given, float64 (n,)."""
    return distances_and_components(reference, X)[0]


def distances_and_components(
    reference: dict[str, np.ndarray], X: np.ndarray | MappedRows
) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance of each row of X (n, n_features), float64 (n,), and its components (n, k) along each axis, in
    standard deviations from the mean; the axis along which training data vary most comes last.
    """
    if isinstance(X, MappedRows):
        of_blocks = zip(*(distances_and_components(reference, block) for block in blocks(X)), strict=True)
        distance, components = map(np.concatenate, of_blocks)
        return distance, components
    centred = np.sqrt(np.maximum(X, 0), dtype=np.float64) - reference["mean"]
    along = centred @ reference["axes"].T
    components = along / reference["scales"][:-1]
    rest = np.maximum((centred**2).sum(axis=1) - (along**2).sum(axis=1), 0)
    inside = (components**2).sum(axis=1)
    return np.sqrt((inside + rest / reference["scales"][-1] ** 2) / X.shape[1]), components


def out_of_fold(
    X: np.ndarray | MappedRows, fold: np.ndarray, views: Views | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return each sample's distance, float64 (n,), to the other folds and their views, and that of each view (m,)."""
    views = views or Views(np.empty(0, int), np.empty((0, X.shape[1]), np.float32))
    distance, of_views, view_fold = np.empty(len(X)), np.empty(len(views.row)), fold[views.row]
    for number in np.unique(fold):
        held_out, views_out = fold == number, view_fold == number
        reference = fit(X[~held_out], views.features[~views_out])
        distance[held_out] = distances(reference, X[held_out])
        of_views[views_out] = distances(reference, views.features[views_out])
    return distance, of_views


def threshold(distance: np.ndarray, of_views: np.ndarray | None = None) -> float:
    """Return the distance from which on a sample is refused; out of fold are `distance` (n,) and, if any, `of_views` (m,)."""
    limit = np.quantile(distance, QUANTILE)
    return float(limit if of_views is None else max(limit, np.quantile(of_views, VIEW_QUANTILE)))


def score(reference: dict[str, np.ndarray], embedding: np.ndarray, limit: float) -> OodScore:
    """Return the score of one image's features (1, n_features); beyond the distance `limit` it is refused."""
    distance, components = distances_and_components(reference, embedding)
    reason = ""
    if distance[0] > limit:
        share = f"at least {QUANTILE:.1%} of training images are within {limit:.3g}"
        reason = f"too different from the training data: distance {distance[0]:.3g}, {share}"
    return OodScore(reason, bool(reason), float(distance[0]) / limit, components[0])
