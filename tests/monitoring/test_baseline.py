"""What a server is to expect of samples like the training data is counted from out-of-fold predictions."""

import numpy as np
import pytest

from pipeline.core import artifacts
from pipeline.data.dataset import Dataset
from pipeline.monitoring.histograms import Tally
from pipeline.prediction.predictor import Predictor
from tests.models import mixed


@pytest.fixture
def found(scored, monkeypatch):
    monkeypatch.chdir(scored)
    return Predictor("models/t/best").info.metrics["reference"]


def test_the_champions_bundle_counts_its_out_of_fold_predictions(found):
    dev, saved = Dataset.load("data/t/dev.npz"), np.load("models/t/candidates/line/oof.npz")
    report = artifacts.read_json("reports/t/cv/line.json")
    assert sum(found["answers"].values()) + found["refused"] == len(dev.y) == 200
    assert found["refused"] / 200 == pytest.approx(report["refused"])
    assert found["n_groups"] == 100
    kept = saved["distance"] <= 0.5
    assert found["answers"]["benign"] + found["answers"]["malignant"] == kept.sum()
    assert sum(found["probability"]) == kept.sum()
    assert "reference" not in report


def test_components_are_varied_columns_without_missing_numbers(found):
    table, _ = mixed(200)
    assert found["names"] == ["age", "size"]  # empty and constant columns and words have no place
    assert [sum(row) for row in found["places"]] == [table["age"].notna().sum(), 200]


def test_a_predictor_sees_training_rows_where_the_reference_has_them(found):
    loaded, (table, _) = Predictor("models/t/best"), mixed(200)
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    counted = Tally()
    for row in rows:
        prediction = loaded.predict_with_ood(row, "row")
        counted.add(prediction.item, prediction.ood, 0.01)
    assert np.abs(counted.places - np.array(found["places"])).sum() <= 4  # float32 on an edge
