"""A copy in which one cell was changed or emptied is noticed; patients who share a few values are not."""

import numpy as np
import pandas as pd
import pytest

from pipeline.duplicates.rows.but_one import ButOne


def rows(n: int = 200, decimals: int = 3) -> tuple[pd.DataFrame, list[tuple]]:
    features = pd.DataFrame(np.random.default_rng(0).normal(size=(n, 4)).round(decimals), columns=list("abcd"))
    features["sex"] = np.random.default_rng(1).choice(["f", "m"], n)
    return features, [tuple(row) for row in features.itertuples(index=False, name=None)]


@pytest.mark.parametrize("column", range(5))
@pytest.mark.parametrize("cell", [99.5, ""])
def test_a_copy_with_another_cell_is_noticed(column, cell):
    features, keys = rows()
    changed = (*keys[7][:column], cell, *keys[7][column + 1 :])
    assert ButOne(features, keys).find(changed) == 7


def test_two_changed_cells_are_another_row():
    features, keys = rows()
    assert ButOne(features, keys).find((9.0, 9.0, *keys[7][2:])) is None


def test_values_that_others_share_are_no_copy():
    features, keys = rows(2000, decimals=0)
    assert ButOne(features, keys).find((99.0, *keys[7][1:])) is None


def test_few_measurements_and_wide_tables_are_not_compared():
    features, keys = rows()
    few = features[["a", "b", "c", "sex"]]
    assert ButOne(few, [key[:3] + key[4:] for key in keys]).find((9.0, *keys[7][1:3], keys[7][4])) is None
    wide = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 61)))
    own = [tuple(row) for row in wide.itertuples(index=False, name=None)]
    assert ButOne(wide, own).find((9.0, *own[7][1:])) is None
