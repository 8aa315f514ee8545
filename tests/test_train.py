"""Cross-fitting without a leak, and what the stage leaves behind."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import artifacts, params, tables, train
from pipeline.dataset import Dataset
from pipeline.estimators import dummy, knn, logreg, mobilenetv2, random_forest
from pipeline.metrics import scores
from pipeline.stage import DataError, ParamsError, StageError
from tests.models import KERAS_NOISE, dataset, mixed, numbers, write_params

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)
QUICK = {
    "dummy": (dummy, {}),
    "knn": (knn, {}),
    "logreg": (logreg, {}),
    "random_forest": (random_forest, {"n_estimators": 20}),
    "mobilenetv2": (mobilenetv2, {"epochs": 5}),
}


def maker(name, **own):
    module, quick = QUICK[name]
    return lambda: module.build(module.Params(**quick | own), 7)


def folds(name):
    """Return how many folds to take: a network needs a second for each."""
    return 2 if name == "mobilenetv2" else 5


def auc(dev, proba):
    return scores(dev.y, proba, proba.argmax(axis=1))["roc_auc"]


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


class Witness:
    """An estimator that remembers the numbers of the rows it was fitted on and refuses to be asked about them."""

    def fit(self, X, y):
        self.seen, self.classes = set(X[:, 0].tolist()), len(np.unique(y))
        return self

    def predict_proba(self, X):
        assert not self.seen & set(X[:, 0].tolist()), "asked about a row that it was fitted on"
        return np.full((len(X), self.classes), 1 / self.classes)

    history_ = pd.DataFrame({"epoch": [1], "loss": [0.7], "val_loss": [0.7]})


def test_every_sample_is_predicted_exactly_once_and_by_a_model_that_did_not_see_it():
    y = np.arange(60) % 2
    rows = np.arange(60.0)[:, None]
    _, oof, _ = train.cross_fit(Witness, rows, dataset(rows, y), 2, "t")
    np.testing.assert_array_equal(oof, 0.5)


def test_a_group_that_could_be_recognised_is_never_on_both_sides():
    """Each group has features and a drawn label of its own: whoever saw one member knows the label of all others."""
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(80), 4)
    X = rng.normal(size=(80, 20))[groups] + rng.normal(size=(320, 20)) * 1e-3
    y = rng.integers(2, size=80)[groups]
    dev = dataset(X, y, groups)
    one = maker("knn", n_neighbors=1)
    assert (one().fit(X, y).predict_proba(X).argmax(axis=1) == y).all()
    _, oof, _ = train.cross_fit(one, X, dev, 2, "t")
    assert 0.3 < np.mean(oof.argmax(axis=1) == y) < 0.7
    straddling = Dataset(**vars(dev) | {"fold": np.arange(320) % 5})  # what a split without groups would do
    _, oof, _ = train.cross_fit(one, X, straddling, 2, "t")
    assert np.mean(oof.argmax(axis=1) == y) == 1


@pytest.mark.parametrize("name", QUICK)
def test_labels_shuffled_at_random_cannot_be_predicted(name):
    X, y = numbers(400, n_features=10)
    dev = dataset(X, np.random.default_rng(0).permutation(y), folds=folds(name))
    _, oof, _ = train.cross_fit(maker(name), X, dev, 1, "t")
    assert 0.35 <= auc(dev, oof) <= 0.65


@pytest.mark.parametrize("name", [name for name in QUICK if name != "dummy"])
def test_what_can_be_learnt_is_learnt_out_of_fold(name):
    X, y = numbers(200)
    dev = dataset(X, y, folds=folds(name))
    own = {"epochs": 40, "learning_rate": 0.05, "dropout": 0.1} if name == "mobilenetv2" else {}
    _, oof, _ = train.cross_fit(maker(name, **own), X, dev, 1, "t")
    assert auc(dev, oof) > 0.85


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("name", ["dummy", "knn", "logreg", "random_forest"])
def test_out_of_fold_probabilities_are_complete_and_sum_to_one(name, n_classes):
    X, y = mixed(100, n_classes)
    _, oof, _ = train.cross_fit(maker(name), X, dataset(X, y), 2, "t")
    assert oof.shape == (100, n_classes)
    assert oof.dtype == np.float64
    assert ((oof >= 0) & (oof <= 1)).all()
    np.testing.assert_allclose(oof.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("name", ["knn", "logreg", "random_forest"])
def test_the_number_of_workers_changes_no_bit(name):
    X, y = mixed(100)
    dev = dataset(X, y)
    (_, one, _), (_, three, _) = (train.cross_fit(maker(name), X, dev, workers, "t") for workers in (1, 3))
    np.testing.assert_array_equal(one, three)


def test_scaling_is_learnt_inside_each_fold():
    """One absurd value would flatten everybody else's scale if its fold were not held out while others are predicted."""
    X, y = numbers(100)
    dev = dataset(X, y)
    spoilt = X.copy()
    spoilt[np.flatnonzero(dev.fold == 0)[0], 0] = 1e5
    _, clean, _ = train.cross_fit(maker("knn"), X, dev, 1, "t")
    _, found, _ = train.cross_fit(maker("knn"), spoilt, dev, 1, "t")
    others = (dev.fold == 0) & (spoilt[:, 0] < 1e5)
    np.testing.assert_array_equal(found[others], clean[others])
    assert not np.array_equal(found[dev.fold == 1], clean[dev.fold == 1])


def test_the_history_of_an_estimator_without_epochs_is_one_line_a_fold():
    X, y = numbers(100)
    dev = dataset(X, y)
    _, oof, history = train.cross_fit(maker("logreg"), X, dev, 2, "t")
    assert history.columns.tolist() == ["fold", "epoch", "loss", "val_loss"]
    assert history["fold"].tolist() == [0, 1, 2, 3, 4]
    assert history["epoch"].tolist() == [1] * 5
    held_out = dev.fold == 0
    assert history["val_loss"].iloc[0] == pytest.approx(-np.log(oof[held_out, y[held_out]]).mean())
    assert history["loss"].mean() < history["val_loss"].mean()


def test_the_history_of_a_network_is_a_line_an_epoch():
    X, y = numbers(60)
    _, _, history = train.cross_fit(maker("mobilenetv2"), X, dataset(X, y, folds=2), 1, "t")
    assert history.groupby("fold")["epoch"].agg(list).tolist() == [[1, 2, 3, 4, 5]] * 2
    assert np.isfinite(history[["loss", "val_loss"]].to_numpy()).all()


@pytest.mark.parametrize(
    "name",
    [
        "dummy",
        "knn",
        "logreg",
        "random_forest",
        "mobilenetv2",
    ],
)
def test_a_fold_that_lacks_a_class_is_an_error_that_says_so(name):
    X, y = numbers(40, 4)
    dev = dataset(X, y)
    only_in_fold_0 = Dataset(**vars(dev) | {"y": np.where((y == 3) & (dev.fold != 0), 2, y)})
    with pytest.raises(DataError, match=r"a training fold lacks the class \w+; .*lower split\.folds"):
        train.cross_fit(maker(name), X, only_in_fold_0, 1, "t")


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
    _, expected, _ = train.cross_fit(maker("knn"), dev.X("columns"), dev, 1, "t")
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
