"""What the stage leaves behind."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline import train
from pipeline.core import artifacts, params
from pipeline.data import tables
from pipeline.data.dataset import Dataset
from pipeline.estimators import knn
from pipeline.estimators._protocol import ClassifierModel
from pipeline.training.cross_fit import cross_fit
from tests.helpers.models import KERAS_NOISE

pytestmark = [pytest.mark.filterwarnings(KERAS_NOISE), pytest.mark.usefixtures("training_project")]


def test_the_candidate_describes_the_model():
    train.main("line")
    folder = Path("models/t/candidates/line")
    content = artifacts.read_json(folder / "candidate.json")
    dev = Dataset.load(Path("data/t/dev.npz"))
    versions = content.pop("versions")
    assert set(versions) >= {"python", "scikit-learn", "numpy"}
    assert versions["python"].count(".") == 1  # any 3.11 gives the same bytes
    assert content.pop("schema") == artifacts.rounded(tables.schema(dev.X("columns"), {}))
    assert content == {
        "task": "t",
        "model": "line",
        "estimator": "logreg",
        "features": "columns",
        "hyperparameters": {"features": "columns"},
        "kind": "table",
        "classes": ["benign", "malignant"],
        "positive": "malignant",
        "input": None,
        "data_fingerprint": dev.fingerprint,
        "files": {"model.joblib": artifacts.sha256((folder / "model.joblib").read_bytes())},
    }
    assert sorted(path.name for path in folder.iterdir()) == [
        "candidate.json",
        "history.csv",
        "importance.csv",
        "model.joblib",
        "oof.npz",
    ]


@pytest.mark.parametrize("name", ["floor", "line", "near", "trees"])
def test_training_twice_gives_the_same_bytes(name):
    folder = Path("models/t/candidates") / name
    train.main(name)
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    train.main(name)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


def test_the_written_predictions_are_those_of_cross_fitting():
    train.main("near")
    dev = Dataset.load(Path("data/t/dev.npz"))
    written = np.load("models/t/candidates/near/oof.npz")["proba"]
    assert np.isfinite(written).all()
    expected = cross_fit([lambda: ClassifierModel(knn.build(knn.Params(), 7))], dev.X("columns"), dev, 1, "t", 7).oof
    np.testing.assert_array_equal(written, expected)


def test_nothing_but_development_data_is_opened():
    assert not Path("data/t/test.npz").exists()
    train.main("floor")
    Path("data/t/test.npz").write_bytes(b"opened: I am not a data set")
    train.main("floor")


def test_the_choice_of_listed_values_and_its_cost_are_reported(capsys):
    content = params.load()
    content["models"]["line"]["C"] = [0.0001, 1.0]
    Path("params.yaml").write_text(json.dumps(content))
    train.main("line")
    assert "train line: 2 combinations, one chosen inside each fold: 31 fits instead of 6" in capsys.readouterr().err
    tuned = artifacts.read_json("models/t/candidates/line/candidate.json")["tuned"]
    assert tuned["chosen"] == {"C": 1.0}
    assert len(tuned["by_fold"]) == 5
    assert [block["C"] for block in tuned["tried"]] == [0.0001, 1.0]
    assert tuned["tried"][0]["log_loss"] > tuned["tried"][1]["log_loss"]
    kept = {name: Path(f"models/t/candidates/line/{name}").read_bytes() for name in ("model.joblib", "oof.npz")}
    content["models"]["line"]["C"] = 1.0
    Path("params.yaml").write_text(json.dumps(content))
    train.main("line")
    if all(block == {"C": 1.0} for block in tuned["by_fold"]):
        assert Path("models/t/candidates/line/oof.npz").read_bytes() == kept["oof.npz"]
    assert Path("models/t/candidates/line/model.joblib").read_bytes() == kept["model.joblib"]
    assert "tuned" not in artifacts.read_json("models/t/candidates/line/candidate.json")
