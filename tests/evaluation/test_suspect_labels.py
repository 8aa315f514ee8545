"""Suspect labels are listed with their class, its probability and what they may be instead."""

import numpy as np

from pipeline.evaluation.suspect_labels import in_words, table
from tests.helpers.models import dataset, numbers


def test_flipped_label_is_listed_first():
    X, y = numbers(60)
    proba = np.where(y[:, None] == np.arange(2), 0.9, 0.1)
    y = y.copy()
    y[7] = 1 - y[7]
    dev = dataset(X, y)
    rows = table(dev, proba)
    first = rows.iloc[0]
    assert len(rows) == 1
    assert (first["path"], first["label"], first["instead"]) == ("7.png", dev.classes[y[7]], dev.classes[1 - y[7]])
    assert first["probability"] == 0.1
    assert in_words(rows, 60, "image").startswith("1 of 60 development images has a label that contradicts its")


def test_nothing_suspect_is_said():
    X, y = numbers(60)
    rows = table(dataset(X, y), np.where(y[:, None] == np.arange(2), 0.9, 0.1))
    assert in_words(rows, 60, "row") == "No label of the 60 development rows contradicts its probability out of fold."
