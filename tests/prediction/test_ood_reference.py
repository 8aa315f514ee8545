"""What training samples look like is kept with a bundle: their distances, and no row of a patient."""

from pathlib import Path

import numpy as np

from pipeline.data import tables
from pipeline.prediction.ood_reference import score_training_samples
from tests.helpers.models import dataset, mixed


def test_distances_of_a_table_are_out_of_fold(empty_folder):
    X, y = mixed(100)
    dev = dataset(X, y)
    scores = score_training_samples(None, X, dev, tables.schema(X, {}), Path())
    assert scores["distance"].shape == (100,)
    assert scores["places"].dtype == np.float32
    assert len(scores["places"]) == 100
    assert not list(Path().iterdir())
