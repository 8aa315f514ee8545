"""How much worse predictions become without a column."""

import numpy as np
import pandas as pd
import pytest

from pipeline.training import importance


def wide(n=60, k=300):
    """Return a table of k columns of noise, of which column 7, and the category of column 9, tell the class y."""
    rng, y = np.random.default_rng(0), np.arange(n) % 2
    X = pd.DataFrame(rng.normal(size=(n, k)), columns=[f"c{number}" for number in range(k)])
    X["c7"] = y + rng.normal(size=n) * 0.1
    X["c9"] = np.where(y, "a", "b").astype(object)
    X.loc[3, "c8"] = np.nan
    return X, y


def test_all_columns_of_a_narrow_table_are_tried_in_order():
    X, y = wide(k=20)
    assert importance.leading(X, y) == list(X)


def test_of_a_wide_table_those_that_tell_most_are_tried():
    X, y = wide()
    columns = importance.leading(X, y)
    assert len(columns) == importance.MOST
    assert {"c7", "c9"} <= set(columns)
    assert columns == [name for name in X if name in columns]


@pytest.mark.parametrize("cells", [1, 60 * 20 * 3, importance.CELLS])
def test_importance_is_the_loss_of_each_permuted_column(monkeypatch, cells):
    monkeypatch.setattr(importance, "CELLS", cells)
    X, y = wide(k=20)

    def losses(table, labels):
        return (table["c7"].to_numpy() - labels) ** 2 + (table["c9"].to_numpy() == np.where(labels, "b", "a"))

    measured = importance.permuted(losses, X, y, list(X), [1, 2])
    assert list(measured) == list(X)
    rng, expected = np.random.default_rng([1, 2]), {}
    for name in X:
        changed = X.assign(**{name: X[name].to_numpy()[rng.permutation(len(X))]})
        expected[name] = losses(changed, y).mean() - losses(X, y).mean()
    assert measured == pytest.approx(expected, abs=1e-12)
    assert measured["c7"] > 0.1
    assert measured["c9"] > 0.1
    assert measured["c1"] == 0


def test_the_explained_share_is_that_of_the_class_means():
    y = np.array([0, 0, 1, 1])
    x = np.array([[1.0, 1, 3, 3], [1, 3, 1, 3], [1, 1, 1, 1], [np.nan, 1, 2, 3], [np.nan] * 4]).T
    # of 2, 1, 2, 3, whose mean is 2, the class means are 1.5 and 2.5
    assert importance.explained(x, y) == pytest.approx([1, 0, 0, 0.5, 0])
