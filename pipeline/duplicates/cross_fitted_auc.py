"""How well one property predicts the label: the ROC AUC of a shallow tree on groups that it was not learnt on."""

import warnings
from dataclasses import dataclass

import numpy as np

from pipeline.stats.bootstrap import resamples
from pipeline.stats.intervals import wilson
from pipeline.stats.metrics import Ranking

FOLDS = 5
DEPTH = 3  # of the tree: enough for a few ranges of a width, too little to know samples by heart
FEWEST_IN_LEAF = 5
DRAWS = 500
SEED = 0


@dataclass(frozen=True)
class CrossFitted:
    """Out-of-fold probabilities of a property, float64 (n, n_classes), with the labels as numbers and the groups."""

    probabilities: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    roc_auc: float


def divide(labels: np.ndarray, groups: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the positions to learn from and those held out, FOLDS times, each with its share of every class.

    Scans that come in a regular order would otherwise leave all of a class in one fold, and nobody to learn it from.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    is_alone = len(np.unique(groups)) == len(groups)  # StratifiedGroupKFold takes 2 s for 4,000 groups
    kind, of = (StratifiedKFold, None) if is_alone else (StratifiedGroupKFold, groups)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")  # it is missing from some folds
        return list(kind(FOLDS, shuffle=True, random_state=SEED).split(labels, labels, of))


def is_enough(labels: np.ndarray, groups: np.ndarray) -> bool:
    """Return whether there are classes and groups enough to learn from."""
    sizes = np.unique(labels, return_counts=True)[1]
    return len(np.unique(groups)) >= FOLDS and len(sizes) > 1 and sizes.max() >= FOLDS


def cross_fit(
    table: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    folds: list[tuple[np.ndarray, np.ndarray]] | None = None,
    least: float | None = None,
) -> CrossFitted | None:
    """Return out-of-fold probabilities of a tree on `table`, float64 (n, k); None where there is too little to learn from.

    With `least`, None too where a tree that has seen all samples reaches no more than this ROC AUC.
    """
    from sklearn import config_context
    from sklearn.tree import DecisionTreeClassifier

    classes, wanted = np.unique(labels, return_inverse=True)
    if not is_enough(labels, groups) or (table == table[0]).all():
        return None
    probabilities = np.zeros((len(labels), len(classes)))
    tree = DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=FEWEST_IN_LEAF, random_state=0)
    # What a tree takes: checking each of 2,000 columns would cost half the time.
    values = np.ascontiguousarray(table, np.float32)
    with config_context(skip_parameter_validation=True):
        if least is not None:
            known = tree.fit(values, wanted, check_input=False).predict_proba(values, check_input=False)
            if area(known, wanted, np.ones(len(wanted))) <= least:
                return None
        for rest, held_out in folds or divide(labels, groups):
            tree.fit(values[rest], wanted[rest], check_input=False)
            probabilities[np.ix_(held_out, tree.classes_)] = tree.predict_proba(values[held_out], check_input=False)
    return CrossFitted(probabilities, wanted, groups, area(probabilities, wanted, np.ones(len(wanted))))


def cross_fit_codes(
    codes: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    folds: list[tuple[np.ndarray, np.ndarray]],
) -> CrossFitted:
    """Return out-of-fold probabilities of a category, int (n,): the share of each class among other rows of its value.

    The shares of all rows count as one more row, so that a value that was not seen says nothing.
    """
    classes, wanted = np.unique(labels, return_inverse=True)
    probabilities = np.zeros((len(labels), len(classes)))
    for rest, held_out in folds:
        counts = np.zeros((codes.max() + 1, len(classes)))
        np.add.at(counts, (codes[rest], wanted[rest]), 1)
        shares = counts + counts.sum(axis=0) / len(rest)
        probabilities[held_out] = (shares / shares.sum(axis=1, keepdims=True))[codes[held_out]]
    return CrossFitted(probabilities, wanted, groups, area(probabilities, wanted, np.ones(len(wanted))))


def area(probabilities: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    """Return the weighted ROC AUC, macro one-vs-rest of several classes; NaN where a class has no weight."""
    return float(areas(probabilities, labels, weights[None])[0])


def areas(probabilities: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return `area` for each row of `weights`, float64 (draws, n)."""
    n_classes = probabilities.shape[1]
    shown = range(n_classes) if n_classes > 2 else [1]
    return np.mean([Ranking(labels == k, probabilities[:, k])(weights)[0] for k in shown], axis=0)


def limits(fitted: CrossFitted, one_sided: bool = False, draws: int = DRAWS) -> tuple[float, float]:
    """Return the limits of the 95 % interval of the ROC AUC, or of two one-sided ones, by a bootstrap over groups.

    Without an error there is nothing to draw: then the lower limit is that of the share of right answers among the groups of
    the rarest class, as in `stats.intervals`.
    """
    level = 0.90 if one_sided else 0.95
    if fitted.roc_auc > 1 - 1e-12:
        rarest = min(len(np.unique(fitted.groups[fitted.labels == k])) for k in np.unique(fitted.labels))
        return wilson(rarest, rarest, level)[0], 1.0
    blocks = resamples(fitted.groups, draws, SEED)
    values = np.concatenate([areas(fitted.probabilities, fitted.labels, weights) for weights in blocks])
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
