"""A shipped split in a column is known, or a question; it is never given up without a word."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.data.columns.shipped_column import ShippedColumnError, find_shipped

CSV = Path("t.csv")


def table(column, words, n=12):
    """Return a table with a column of words that repeat."""
    return pd.DataFrame({column: (words.split() * n)[:n], "size": [str(row) for row in range(n)]})


@pytest.mark.parametrize(
    ("column", "words"),
    [("split", "train test"), ("Set", "trn tst dev"), ("Usage", "Training test"), ("cohort", "tr te")],
)
def test_words_of_a_split_are_known(column, words):
    assert find_shipped(table(column, words), CSV) == column


@pytest.mark.parametrize(
    ("column", "words"),
    [("is_test", "0 1 0"), ("is_train", "True False"), ("in-test", "y n"), ("Usage", "Public Private"),
     ("fold", "0 1 2 3"), ("kfold", "fold1 fold2"), ("subset", "development validation"), ("phase", "fit holdout"),
     ("cohort", "derivation validation"), ("dataset", "train external"), ("train_test", "1 2"), ("usage", "train unused")],
)  # fmt: skip
def test_a_split_of_unclear_parts_is_a_question(column, words):
    with pytest.raises(ShippedColumnError, match=f"--exclude {column}"):
        find_shipped(table(column, words), CSV)


@pytest.mark.parametrize(
    ("column", "words"),
    [("phase", "I II III"), ("cohort", "A B"), ("set", "1 2"), ("dataset", "berlin paris"), ("test", "0 1"),
     ("trained", "0 1"), ("folder", "0 1"), ("fold", "1.5 2.25 3.5"), ("is_test", "0")],
)  # fmt: skip
def test_other_columns_are_no_splits(column, words):
    assert find_shipped(table(column, words), CSV) is None
