"""Divide samples into folds by group and class as StratifiedGroupKFold does; to import scikit-learn takes longer than that."""

import numpy as np


def grouped_folds(y: np.ndarray, group: np.ndarray, n_folds: int, seed: int) -> np.ndarray:
    """Return the fold of each sample, int (n,): no group is divided, and each fold has about the same share of each class.

    Groups are dealt out in order of how uneven their classes are, each to the fold with which the classes are spread most evenly
    then. The folds are those of `StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)`.
    """
    _, label, n_of_class = np.unique(y, return_inverse=True, return_counts=True)
    _, number = np.unique(group, return_inverse=True)
    order = np.arange(number.max() + 1)
    np.random.RandomState(seed).shuffle(order)
    counts = np.zeros((len(order), len(n_of_class)))  # of the classes in each group
    np.add.at(counts, (number, label), 1)
    fold_of = np.empty(len(order), int)
    filled = np.zeros((n_folds, len(n_of_class)))
    for which in order[np.argsort(-counts[order].std(axis=1), kind="stable")]:
        tried = filled + np.eye(n_folds)[:, :, None] * counts[which]
        uneven = (tried / n_of_class).std(axis=1).mean(axis=1)
        fold_of[which] = best = least(uneven, filled.sum(axis=1))
        filled[best] += counts[which]
    return fold_of[number]


def least(uneven: np.ndarray, n: np.ndarray) -> int:
    """Return the first fold with the lowest `uneven`; of nearly equal ones a later one where its fold holds fewer samples."""
    best = 0
    for fold in range(1, len(uneven)):
        fewer = n[fold] < n[best] and np.isclose(uneven[fold], uneven[best])
        if uneven[fold] < uneven[best] or fewer:
            best = fold
    return best
