"""The samples of one side of the split."""

import pytest

from pipeline.data.dataset import Dataset
from tests.helpers.models import dataset, numbers


@pytest.mark.parametrize("change", ["y", "fold", "id", "group"])
def test_the_fingerprint_is_of_samples_labels_groups_and_folds(change):
    X, y = numbers(20)
    dev = dataset(X, y)
    assert dataset(X * 2, y).fingerprint == dev.fingerprint
    changed = getattr(dev, change).copy()
    changed[0] = changed[1] if change != "fold" else (changed[0] + 1) % 5
    assert Dataset(**vars(dev) | {change: changed}).fingerprint != dev.fingerprint
