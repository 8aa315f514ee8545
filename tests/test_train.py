"""What the stage leaves behind."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline import train
from pipeline.core import artifacts, params
from pipeline.core.errors import ParamsError, StageError
from pipeline.data import tables
from pipeline.data.dataset import Dataset
from pipeline.estimators import knn
from pipeline.estimators._protocol import ClassifierModel
from pipeline.training.cross_fit import cross_fit
from tests.models import KERAS_NOISE, dataset, mixed, numbers, write_params

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a table task `t`, ready to train; the test set is not there."""
    monkeypatch.chdir(tmp_path)
    models = {"floor": {"estimator": "dummy"}, "line": {"estimator": "logreg"}}
    models |= {"near": {"estimator": "knn"}, "trees": {"estimator": "random_forest", "n_estimators": 10}}
    write_params(models)
    X, y = mixed(100)
    dataset(X, y, np.arange(100) // 2).save(Path("data/t/dev.npz"))
    return tmp_path


def test_the_candidate_says_what_a_prediction_must_know(project):
    train.main("line")
    folder = Path("models/t/candidates/line")
    found = artifacts.read_json(folder / "candidate.json")
    dev = Dataset.load(Path("data/t/dev.npz"))
    versions = found.pop("versions")
    assert set(versions) >= {"python", "scikit-learn", "numpy"}
    assert found.pop("schema") == artifacts.rounded(tables.schema(dev.X("columns"), {}))
    assert found == {
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


@pytest.mark.parametrize("change", ["y", "fold", "id", "group"])
def test_the_fingerprint_changes_with_samples_labels_groups_and_folds_only(change):
    X, y = numbers(20)
    dev = dataset(X, y)
    assert dataset(X * 2, y).fingerprint == dev.fingerprint
    changed = getattr(dev, change).copy()
    changed[0] = changed[1] if change != "fold" else (changed[0] + 1) % 5
    assert Dataset(**vars(dev) | {change: changed}).fingerprint != dev.fingerprint


@pytest.mark.parametrize("name", ["floor", "line", "near", "trees"])
def test_training_twice_gives_the_same_bytes(project, name):
    folder = Path("models/t/candidates") / name
    train.main(name)
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    train.main(name)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


def test_the_written_predictions_are_those_of_cross_fitting_and_leave_no_sample_out(project):
    train.main("near")
    dev = Dataset.load(Path("data/t/dev.npz"))
    written = np.load("models/t/candidates/near/oof.npz")["proba"]
    assert np.isfinite(written).all()
    expected = cross_fit([lambda: ClassifierModel(knn.build(knn.Params(), 7))], dev.X("columns"), dev, 1, "t", 7).oof
    np.testing.assert_array_equal(written, expected)


def test_nothing_but_development_data_is_opened(project):
    assert not Path("data/t/test.npz").exists()
    train.main("floor")
    Path("data/t/test.npz").write_bytes(b"opened: I am not a data set")
    train.main("floor")


def test_units_reach_the_schema(project):
    block = json.loads(json.dumps(params.load()))
    block["tasks"]["t"]["preprocess"] = {"units": {"age": "years"}}
    Path("params.yaml").write_text(json.dumps(block))
    train.main("line")
    schema = artifacts.read_json("models/t/candidates/line/candidate.json")["schema"]
    assert [field.get("unit") for field in schema] == ["years", None, None, None, None]


def test_files_of_an_earlier_estimator_do_not_become_part_of_the_candidate(project):
    folder = Path("models/t/candidates/line")
    folder.mkdir(parents=True)
    (folder / "model.keras").write_bytes(b"of another estimator")
    train.main("line")
    found = artifacts.read_json(folder / "candidate.json")
    assert list(found["files"]) == ["model.joblib"]
    assert found["features"] == "columns"


def test_missing_data_name_the_stage_that_makes_them(project):
    Path("data/t/dev.npz").unlink()
    with pytest.raises(StageError, match=r"data/t/dev.npz is missing: run 'dvc repro preprocess@t'"):
        train.main("line")


def test_an_unknown_model_is_an_error_that_lists_the_known_ones(project):
    with pytest.raises(ParamsError, match="no model 'lime'; it has: floor, line, near, trees"):
        train.main("lime")


def test_more_neighbours_than_samples_is_an_error_that_names_the_parameter(project):
    content = params.load()
    content["models"]["near"]["n_neighbors"] = 90
    content["workers"] = 1  # two threads that format tracebacks while pytest does stumble over a bug of CPython 3.11
    Path("params.yaml").write_text(json.dumps(content))
    with pytest.raises(
        ParamsError, match=r"params.yaml: models.near.n_neighbors: found 90; a training fold has \d+ samples"
    ):
        train.main("near")


def test_listed_values_are_tried_and_what_was_chosen_is_recorded_and_the_cost_said(project, capsys):
    content = params.load()
    content["models"]["line"]["C"] = [0.0001, 1.0]
    Path("params.yaml").write_text(json.dumps(content))
    train.main("line")
    assert "train line: 2 combinations, one chosen inside each fold: 31 fits instead of 6" in capsys.readouterr().err
    found = artifacts.read_json("models/t/candidates/line/candidate.json")["tuned"]
    assert found["chosen"] == {"C": 1.0}
    assert len(found["by_fold"]) == 5
    assert [block["C"] for block in found["tried"]] == [0.0001, 1.0]
    assert found["tried"][0]["log_loss"] > found["tried"][1]["log_loss"]
    kept = {name: Path(f"models/t/candidates/line/{name}").read_bytes() for name in ("model.joblib", "oof.npz")}
    content["models"]["line"]["C"] = 1.0
    Path("params.yaml").write_text(json.dumps(content))
    train.main("line")
    if all(block == {"C": 1.0} for block in found["by_fold"]):
        assert Path("models/t/candidates/line/oof.npz").read_bytes() == kept["oof.npz"]
    assert Path("models/t/candidates/line/model.joblib").read_bytes() == kept["model.joblib"]
    assert "tuned" not in artifacts.read_json("models/t/candidates/line/candidate.json")


def test_more_neighbours_than_an_inner_training_fold_has_is_an_error_though_an_outer_one_has_as_many(project):
    content = params.load() | {"workers": 1}
    content["models"]["near"]["n_neighbors"] = [
        5,
        70,
    ]  # of 100 samples in 5 folds: 80 outside of one, 60 outside of two
    Path("params.yaml").write_text(json.dumps(content))
    with pytest.raises(ParamsError, match=r"models.near.n_neighbors: found 70; a training fold has 60 samples only"):
        train.main("near")
