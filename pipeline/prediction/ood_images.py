"""Measure how far an image is from the training data, by the features that a model takes; images too far off are refused.

The distance of probabilistic PCA (Tipping and Bishop 1999, equations 6 and 8) between the square roots of features,
which are never negative and vary with their mean. Along the N_AXES directions in which training data vary most, each step
counts by the variance there; all other directions share one. It is divided by the number of features, so that 1 is ordinary.

What is refused of held-out dermoscopy, of clinical photos of skin, of CT slices, histology, noise, blanks, text and screenshots
stands in benchmarks/results/soak_refusal.json (soak/test_refusal.py). Of clinical photos, which are the hardest to tell
apart, 64 axes refused 2 points fewer, and features without the square root 3 to 10.

Tables: see `prediction.ood_tables`.
"""

import numpy as np

from pipeline.prediction.answer import OodScore

N_AXES = 16  # fewer where there are few samples
QUANTILE = 0.975  # of out-of-fold distances: one in forty like the training data is refused


def fit(X: np.ndarray) -> dict[str, np.ndarray]:
    """Return a summary of the training data X, float32 (n, n_features), none negative; it holds no sample.

    mean (n_features,), axes (k, n_features) and scales (k + 1,): the standard deviations along them, and in the rest.
    """
    from scipy.linalg import eigh

    X = np.sqrt(X, dtype=np.float64)
    mean = X.mean(axis=0)
    centred = X - mean
    n, n_features = X.shape
    k = max(1, min(N_AXES, n // 4, n_features - 1))
    flat = (
        n < n_features
    )  # the smaller of the two products has the same spectrum: 318 images take 0.03 s instead of 0.6
    product = centred @ centred.T if flat else centred.T @ centred
    values, vectors = eigh(product, subset_by_index=[len(product) - k, len(product) - 1])
    axes = vectors.T @ centred if flat else vectors.T
    axes = axes / np.maximum(np.linalg.norm(axes, axis=1, keepdims=True), 1e-12)
    rest = max(np.trace(product) - values.sum(), 0) / (n_features - k)
    scales = np.sqrt(np.append(values, rest) / n)
    return {"mean": mean, "axes": axes, "scales": np.maximum(scales, 1e-6)}


def distances(reference: dict[str, np.ndarray], X: np.ndarray) -> np.ndarray:
    """Return the distance of each row of X (n, n_features) to the data that `fit` was given, float64 (n,)."""
    return distances_and_components(reference, X)[0]


def distances_and_components(reference: dict[str, np.ndarray], X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance of each row of X (n, n_features), float64 (n,), and its components (n, k) along each axis, in
    standard deviations from the mean; the axis along which training data vary most comes last.
    """
    centred = np.sqrt(np.maximum(X, 0), dtype=np.float64) - reference["mean"]
    along = centred @ reference["axes"].T
    components = along / reference["scales"][:-1]
    rest = np.maximum((centred**2).sum(axis=1) - (along**2).sum(axis=1), 0)
    inside = (components**2).sum(axis=1)
    return np.sqrt((inside + rest / reference["scales"][-1] ** 2) / X.shape[1]), components


def out_of_fold(X: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Return each sample's distance, float64 (n,), to the samples of the other folds."""
    distance = np.empty(len(X))
    for number in np.unique(fold):
        held_out = fold == number
        distance[held_out] = distances(fit(X[~held_out]), X[held_out])
    return distance


def threshold(distance: np.ndarray) -> float:
    """Return the distance from which on a sample is refused; `distance` (n,) are those out of fold."""
    return float(np.quantile(distance, QUANTILE))


def score(reference: dict[str, np.ndarray], embedding: np.ndarray, limit: float) -> OodScore:
    """Return the score of one image's features (1, n_features); beyond the distance `limit` it is refused."""
    distance, components = distances_and_components(reference, embedding)
    reason = ""
    if distance[0] > limit:
        share = f"{QUANTILE:.1%} of training images are within {limit:.3g}"
        reason = f"too different from the training data: distance {distance[0]:.3g}, {share}"
    return OodScore(reason, bool(reason), float(distance[0]) / limit, components[0])
