"""Folds by group and class are scikit-learn's."""

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from pipeline.stats.grouped_folds import grouped_folds


@pytest.mark.parametrize("n_classes", [2, 3, 12])
@pytest.mark.parametrize("n_groups", [40, 400])
def test_folds_are_those_of_scikit_learn(n_classes, n_groups):
    rng = np.random.default_rng(n_classes)
    for seed, n_folds in [(0, 2), (7, 5), (11, 10)]:
        group = np.array([f"P{k}" for k in rng.integers(0, n_groups, 600)])
        y = np.sort(rng.integers(0, n_classes, 600) if seed else rng.binomial(n_classes - 1, 0.1, 600)).astype(str)
        y[: 10 * n_classes] = np.repeat(np.arange(n_classes), 10).astype(str)
        expected = np.empty(len(y), int)
        divided = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(y, y, group)
        for fold, (_, held_out) in enumerate(divided):
            expected[held_out] = fold
        assert grouped_folds(y, group, n_folds, seed).tolist() == expected.tolist()


def test_one_sample_per_group_is_divided_by_class_alone():
    y = np.arange(103) % 3
    fold = grouped_folds(y, np.arange(103), 4, seed=7)
    counts = np.array([np.bincount(y[fold == k], minlength=3) for k in range(4)])
    assert (np.ptp(counts, axis=0) <= 1).all()
