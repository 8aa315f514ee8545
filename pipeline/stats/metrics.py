"""How good predictions are, in plain numpy: every figure of a report is computed here, under scikit-learn's names.

Each metric is written once, over a block of weightings (draws, n): `scores` passes one row, `stats.bootstrap` many.
Class 1 is the positive one of two. What is not defined, because a class is absent or was never decided for, is NaN:
scikit-learn would warn and say 0, or average over the other classes, and either number would mislead.
"""

import numpy as np

from pipeline.stats.reliability import bin_of, confidence, equal_width, ratio

ECE_BINS = 15  # equal in width; the number that Guo et al. 2017 use


def scores(
    y: np.ndarray, proba: np.ndarray, decided: np.ndarray, weights: np.ndarray | None = None
) -> dict[str, float]:
    """Return every metric of `Scorer` for one weighting, by default that of equal weights.

    `y`, `decided`: int (n,) in 0..K-1; `proba`: float (n, K) in 0..1; `weights`: (n,), finite, not negative.
    """
    weights = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    return {name: float(value[0]) for name, value in Scorer(y, proba, decided)(weights[None]).items()}


def losses(y: np.ndarray, proba: np.ndarray) -> dict[str, np.ndarray]:
    """Return brier_score_loss and log_loss of each sample, float64 (n,): their means are the figures. Arrays as for `scores`."""
    actual = np.asarray(y)[:, None] == np.arange(proba.shape[1])
    return {"brier_score_loss": _squares(actual, proba), "log_loss": _surprise(actual, proba)}


class Scorer:
    """Predictions made ready to be scored under many weightings: whatever can be sorted or compared once, is.

    `y` int (n,): the actual class, 0..K-1. `proba` float (n, K): probabilities in 0..1. `decided` int (n,): the class
    finally assigned, which need not be the most probable one. Raises ValueError for anything else.
    """

    def __init__(self, y: np.ndarray, proba: np.ndarray, decided: np.ndarray):
        y, proba, decided = np.asarray(y), np.asarray(proba), np.asarray(decided)
        _check(y, proba, decided)
        self.n_classes = proba.shape[1]
        classes = np.arange(self.n_classes)
        actual, chosen = y[:, None] == classes, decided[:, None] == classes
        # One product of the weights with these columns gives every sum that is linear in the weights.
        columns = [actual & chosen, actual, chosen, _squares(actual, proba), _surprise(actual, proba)]
        self._columns = np.ascontiguousarray(np.column_stack([*columns, _gaps(actual, proba)]).T)
        # With two classes, the second's ranking says it all.
        self._rankings = [Ranking(actual[:, k], proba[:, k]) for k in (classes if self.n_classes > 2 else [1])]

    def __call__(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """Return float64 (draws,) per metric for `weights`, float (draws, n), finite and not negative.

        With two classes: accuracy, balanced_accuracy, f1, precision, recall (sensitivity), specificity,
        negative_predictive_value, matthews_corrcoef, roc_auc, average_precision, brier_score_loss, log_loss, ece.
        With more: f1_macro, precision_macro and recall_macro take the place of f1 to negative_predictive_value, and
        roc_auc and average_precision are macro averages of each class against the rest.

        - A macro average over K classes is NaN where one of its K terms is.
        - brier_score_loss of two classes is mean((proba[:, 1] - y)**2), in 0..1; with more it is summed over the classes
          (Brier 1950), in 0..2. This is scikit-learn's default, too.
        - log_loss clips probabilities to eps..1-eps of their dtype before the logarithm, as scikit-learn does.
        - matthews_corrcoef (of more classes: Gorodkin 2004) is 0 where all are decided alike, its limit and
          scikit-learn's choice, and NaN where all are alike.
        - ece is the expected calibration error over `ECE_BINS` equal-width bins (Naeini et al. 2015): with two classes
          the probability of the positive one against its share; with more the highest probability against the share
          of most probable classes that are right (Guo et al. 2017), whatever was decided.
        """
        return self.both(weights)[0]

    def both(self, weights: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return what a call returns, and float64 (draws, K) of each class: f1 and roc_auc, which is against the rest."""
        total = weights.sum(axis=1)
        ends = np.cumsum([self.n_classes] * 3 + [1, 1])
        # Not `@`: BLAS gives other last digits with other threads, and its threads crawl on a busy machine.
        sums = np.einsum("dn,cn->dc", weights, self._columns)
        hits, actual, chosen, squares, surprise, gaps = np.split(sums, ends, axis=1)
        areas, precisions = zip(*(ranking(weights) for ranking in self._rankings), strict=True)
        of_classes = {
            "f1": _shares(hits, actual, chosen)[2],
            "roc_auc": np.stack(areas if self.n_classes > 2 else areas * 2, axis=1),
        }
        overall = {
            "accuracy": ratio(hits.sum(axis=1), total),
            **_decisions(hits, actual, chosen),
            "matthews_corrcoef": _matthews(hits, actual, chosen),
            "roc_auc": np.mean(areas, axis=0),
            "average_precision": np.mean(precisions, axis=0),
            "brier_score_loss": ratio(squares[:, 0], total),
            "log_loss": ratio(surprise[:, 0], total),
            "ece": ratio(np.abs(gaps).sum(axis=1), total),
        }
        return overall, of_classes


class Ranking:
    """How well one score puts positives first, under many weightings. `positive` bool (n,), `score` float (n,)."""

    def __init__(self, positive: np.ndarray, score: np.ndarray):
        fall = -np.asarray(score, dtype=np.float64)
        order = np.argsort(fall, kind="stable")
        self._positives, self._negatives = order[positive[order]], order[~positive[order]]
        own, other = fall[self._positives], fall[self._negatives]
        # For each positive: how many negatives come before it, before or level; how many positives before or level.
        self._before = np.searchsorted(other, own, side="left")
        self._level = np.searchsorted(other, own, side="right")
        self._level_own = np.searchsorted(own, own, side="right")

    def __call__(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the area under the ROC curve and the average precision, each (draws,), for (draws, n) `weights`.

        The area is the share of pairs in the right order, where a tie counts half (Mann and Whitney 1947); NaN without
        a positive or a negative. Average precision is the mean over positives of the precision at their score, nothing
        interpolated; NaN without a positive.
        """
        # `take`, because [:, index] lays its result out by columns, and a sum's last digits depend on the layout.
        own = weights.take(self._positives, axis=1)
        hits, wrong = _cumulated(own), _cumulated(weights.take(self._negatives, axis=1))
        positives, negatives = hits[:, -1], wrong[:, -1]
        level = wrong.take(self._level, axis=1)
        disorder = np.einsum("ij,ij->i", own, wrong.take(self._before, axis=1) + level) / 2
        area = ratio(positives * negatives - disorder, positives * negatives)
        hits = hits.take(self._level_own, axis=1)
        level += hits
        precision = np.divide(hits, level, out=np.zeros_like(hits), where=level > 0)  # 0 / 0: its weight is 0, too
        return area, ratio(np.einsum("ij,ij->i", own, precision), positives)


def confusion(y: np.ndarray, decided: np.ndarray, n_classes: int) -> np.ndarray:
    """Return int64 (n_classes, n_classes): how many samples of the row's class were decided to be the column's."""
    cells = np.asarray(y, dtype=np.int64) * n_classes + np.asarray(decided, dtype=np.int64)
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


def per_class(
    y: np.ndarray, proba: np.ndarray, decided: np.ndarray, classes: list[str]
) -> dict[str, dict[str, float | int]]:
    """Return precision, recall, f1, roc_auc (against the rest; NaN if absent) and support (a count) of each class.

    Arrays as for `scores`; `classes`: the K names in the order of the columns of `proba`.
    """
    _check(np.asarray(y), np.asarray(proba), np.asarray(decided))
    matrix = confusion(y, decided, len(classes))
    actual = matrix.sum(axis=1)
    precision, recall, f1 = _shares(matrix.diagonal(), actual, matrix.sum(axis=0))
    weights = np.ones((1, len(y)))
    areas = [Ranking(np.asarray(y) == k, proba[:, k])(weights)[0][0] for k in range(len(classes))]
    return {
        name: {
            "precision": float(precision[k]),
            "recall": float(recall[k]),
            "f1": float(f1[k]),
            "roc_auc": float(areas[k]),
            "support": int(actual[k]),
        }
        for k, name in enumerate(classes)
    }


def roc_curve(y: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return false positive rates, true positive rates and thresholds, each float64 (m,), from (0, 0) to (1, 1).

    `y` int or bool (n,), n > 0; `score` float (n,): at threshold t whoever has `score >= t` is called positive.
    Thresholds fall from infinity; points on a straight line between others are left out. A rate is NaN throughout if
    its class is absent.
    """
    y, score = np.asarray(y, dtype=bool), np.asarray(score, dtype=np.float64)
    thresholds, levels = np.unique(score, return_inverse=True)
    counts = np.stack([np.bincount(levels, weights=side, minlength=len(thresholds)) for side in (~y, y)])
    steps = np.cumsum(counts[:, ::-1], axis=1)
    bends = np.any(np.diff(steps, n=2, axis=1) != 0, axis=0)
    kept = np.concatenate([[True], bends, [True]])[: len(thresholds)]
    steps = np.concatenate([np.zeros((2, 1)), steps[:, kept]], axis=1)
    fpr, tpr = ratio(steps, steps[:, -1:])
    return fpr, tpr, np.concatenate([[np.inf], thresholds[::-1][kept]])


def _check(y: np.ndarray, proba: np.ndarray, decided: np.ndarray) -> None:
    """Raise ValueError for what would otherwise become a wrong number without a word."""
    if proba.ndim != 2 or proba.shape[1] < 2 or y.shape != proba.shape[:1] or decided.shape != y.shape:
        raise ValueError(f"expected y (n,), proba (n, K >= 2), decided (n,); got {y.shape, proba.shape, decided.shape}")
    if not np.isin(np.concatenate([y, decided]), np.arange(proba.shape[1])).all():
        raise ValueError(f"y and decided must be classes 0..{proba.shape[1] - 1}")
    if not ((proba >= 0) & (proba <= 1)).all():
        raise ValueError("proba must be in 0..1")


def _cumulated(weights: np.ndarray) -> np.ndarray:
    """Return (draws, n + 1): the sum of the first 0, 1, ..., n columns."""
    sums = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums


def _squares(actual: np.ndarray, proba: np.ndarray) -> np.ndarray:
    columns = slice(1, 2) if proba.shape[1] == 2 else slice(None)
    return ((proba[:, columns].astype(np.float64) - actual[:, columns]) ** 2).sum(axis=1)


def _surprise(actual: np.ndarray, proba: np.ndarray) -> np.ndarray:
    eps = np.finfo(proba.dtype).eps
    return -np.log(proba[actual].clip(eps, 1 - eps).astype(np.float64))


def _gaps(actual: np.ndarray, proba: np.ndarray) -> np.ndarray:
    """Return (n, ECE_BINS): outcome minus probability in the column of the sample's bin, else 0."""
    p, true = confidence(actual, proba)
    gap = true - p
    return gap[:, None] * (bin_of(p, equal_width(ECE_BINS))[:, None] == np.arange(ECE_BINS))


def _shares(hits: np.ndarray, actual: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return precision, recall and f1 per class, shaped as the counts given: right, actual and decided."""
    return ratio(hits, chosen), ratio(hits, actual), ratio(2 * hits, actual + chosen)


def _decisions(hits: np.ndarray, actual: np.ndarray, chosen: np.ndarray) -> dict[str, np.ndarray]:
    precision, recall, f1 = _shares(hits, actual, chosen)
    balanced = recall.mean(axis=1)
    if hits.shape[1] > 2:
        macro = {"f1_macro": f1.mean(axis=1), "precision_macro": precision.mean(axis=1), "recall_macro": balanced}
        return {"balanced_accuracy": balanced, **macro}
    return {
        "balanced_accuracy": balanced,
        "f1": f1[:, 1],
        "precision": precision[:, 1],
        "recall": recall[:, 1],
        "specificity": recall[:, 0],
        "negative_predictive_value": precision[:, 0],
    }


def _matthews(hits: np.ndarray, actual: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    total = actual.sum(axis=1, keepdims=True)
    covariance = (hits * total - actual * chosen).sum(axis=1)
    spread = [(side * (total - side).clip(min=0)).sum(axis=1) for side in (actual, chosen)]
    # Decided by which classes occur, not by a spread of exactly 0, which rounding can miss.
    varied = [(side > 0).sum(axis=1) > 1 for side in (actual, chosen)]
    value = ratio(covariance, np.sqrt(spread[0] * spread[1]))
    return np.where(varied[0] & ~varied[1], 0.0, np.where(varied[0], value, np.nan))
