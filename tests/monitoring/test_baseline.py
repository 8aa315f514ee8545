"""What a server is to expect of samples like the training data is counted from out-of-fold predictions."""

import numpy as np
import pytest
from scipy.stats import rankdata

from pipeline.core import artifacts
from pipeline.data.dataset import Dataset
from pipeline.monitoring import baseline
from pipeline.monitoring.histograms import Tally
from pipeline.prediction.predictor import Predictor
from tests.helpers.models import mixed


@pytest.fixture
def reference(scored, monkeypatch):
    monkeypatch.chdir(scored)
    return Predictor("models/t/best").info.metrics["reference"]


def test_the_champions_bundle_counts_its_out_of_fold_predictions(reference):
    dev, saved = Dataset.load("data/t/dev.npz"), np.load("models/t/candidates/line/oof.npz")
    report = artifacts.read_json("reports/t/cv/line.json")
    assert sum(reference["answers"].values()) + reference["refused"] == len(dev.y) == 200
    assert reference["refused"] / 200 == pytest.approx(report["refused"])
    assert reference["n_groups"] == 100
    kept = saved["distance"] <= 0.5
    assert reference["answers"]["benign"] + reference["answers"]["malignant"] == kept.sum()
    assert sum(reference["probability"]) == kept.sum()
    assert "reference" not in report


def test_components_are_varied_columns_without_missing_numbers(reference):
    table, _ = mixed(200)
    assert reference["names"] == ["age", "size"]  # empty and constant columns and words have no place
    assert [sum(row) for row in reference["places"]] == [table["age"].notna().sum(), 200]


def test_a_predictor_sees_training_rows_where_the_reference_has_them(reference):
    loaded, (table, _) = Predictor("models/t/best"), mixed(200)
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    counted = Tally()
    for row in rows:
        prediction = loaded.predict_with_ood(row, "row")
        counted.add(prediction.item, prediction.ood, 0.01)
    assert np.abs(counted.components - np.array(reference["places"])).sum() <= 4  # float32 on an edge


def test_design_effects_are_learnt_where_groups_have_several_samples(reference):
    assert set(reference["design_effects"]) == {
        "refused", "distance", "place age", "place size", "answer benign", "answer malignant", "probability",
        "missing age", "missing size", "outside age", "outside size",
        "category site: missing", "category site: arm", "category site: leg",
    }  # fmt: skip
    assert all(1 <= effect <= 2 for effect in reference["design_effects"].values())


@pytest.mark.parametrize("n", [0, 1, 40])
def test_ranks_are_those_of_scipy(n):
    values = np.random.default_rng(n).integers(0, 15, n) / 7
    np.testing.assert_array_equal(baseline.average_ranks(values), rankdata(values))
