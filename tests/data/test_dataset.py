"""The samples of one side of the split."""

import numpy as np
import pandas as pd
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


def test_a_column_that_is_added_to_features_is_added_once():
    data = dataset(pd.DataFrame({"age": [1.0, 2.0, 3.0]}), np.array([0, 1, 0]), folds=0)
    for number in (9.0, 8.0):
        X = data.X("columns")
        X["more"] = X.loc[0, "age"] = number
    assert data.X("columns").to_dict("list") == {"age": [1.0, 2.0, 3.0]}
