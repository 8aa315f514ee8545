"""Many rows at once get the bits that each gets alone."""

from pathlib import Path

import numpy as np
import pytest

from pipeline import train
from pipeline.data.dataset import Dataset
from pipeline.prediction import batch, ood_images
from pipeline.prediction.decision_rule import Calibration, DecisionRule
from pipeline.prediction.predictor import Predictor
from tests.helpers.models import KERAS_NOISE, dataset, export, mixed, write_params

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)
N_ROWS = 60


def predictor(n_classes, name, **block):
    """Return the Predictor of a model of a table, by a rule that calibrates and refuses some rows."""
    write_params({name: block})
    dataset(*mixed(100, n_classes)).save(Path("data/t/dev.npz"))
    train.main(name)
    export(name, Path("best"))
    loaded = Predictor("best")
    how = Calibration("sigmoid", 1.3, 0.1) if n_classes == 2 else Calibration("temperature", temperature=1.3)
    loaded.rule = DecisionRule(calibration=how, refusal=0.02)
    return loaded


def alone(loaded, X, compared):
    return batch.score_alone(loaded, batch._loaded(X, compared, np.arange(len(X))))


@pytest.mark.parametrize(
    ("name", "n_classes"),
    [("logreg", 2), ("logreg", 4), ("knn", 2), ("random_forest", 4), ("dummy", 2)],
)
def test_rows_of_a_table(empty_folder, n_classes, name):
    loaded = predictor(n_classes, name, estimator=name)
    rows, none = mixed(N_ROWS, n_classes, seed=5)[0], np.empty((0, 0))
    rows["age"] *= 1.2  # some are out of range
    scores, expected = batch.score_rows(loaded, rows, none, at_once=17), alone(loaded, rows, none)
    assert scores.equals(expected)
    assert 0 < scores.refused.sum() < N_ROWS


def test_images(image_bundles, monkeypatch):
    monkeypatch.chdir(image_bundles)
    dev = Dataset.load(Path("data/t/dev.npz"))
    for name, features, kind in (("near", "embedding", "ood"), ("colours", "classical", "classical")):
        loaded, X, compared = Predictor(Path("bundles") / name), dev.X(features), dev.arrays[kind]
        for limit in (np.inf, np.median(ood_images.distances(loaded.reference, compared))):
            loaded.rule = DecisionRule(refusal=limit)
            scores = batch.score_rows(loaded, X, compared, at_once=5)
            assert scores.equals(alone(loaded, X, compared))
            assert scores.refused.any() == (limit < np.inf)


def test_where_a_bit_differs_all_rows_are_predicted_alone(empty_folder):
    loaded = predictor(2, "line", estimator="logreg")
    one_by_one = loaded.model.predict_proba
    loaded.model.predict_proba = lambda X: one_by_one(X) + (1e-16 if len(X) > 1 else 0)
    rows, none = mixed(N_ROWS, 2, seed=5)[0], np.empty((0, 0))
    assert batch.score_rows(loaded, rows, none).equals(alone(loaded, rows, none))
