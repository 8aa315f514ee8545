"""Cross-fitting without a leak, and parameters chosen inside the folds."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from pipeline.core import mapped_rows
from pipeline.core.errors import DataError
from pipeline.data.dataset import Dataset
from pipeline.estimators._protocol import ClassifierModel, Model, get_estimator
from pipeline.stats.metrics import scores
from pipeline.training.cross_fit import cross_fit
from tests.helpers.models import KERAS_NOISE, dataset, mixed, numbers

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)
QUICK = {"dummy": {}, "knn": {}, "logreg": {}, "random_forest": {"n_estimators": 20}, "mobilenetv2": {"epochs": 5}}


def maker(name, **own):
    estimator = get_estimator(name)
    return partial(estimator.make_model, estimator.Params(**QUICK[name] | own), 7, 1)


def cross(build, X, dev, workers):
    """Cross-fit one combination: the model, out-of-fold probabilities, history."""
    fitted = cross_fit([build], X, dev, workers, "t", 7)
    return fitted.model, fitted.oof, fitted.history


def folds(name):
    """Return how many folds to take: a network needs a second for each."""
    return 2 if name == "mobilenetv2" else 5


def auc(dev, proba):
    return scores(dev.y, proba, proba.argmax(axis=1))["roc_auc"]


class Witness(Model):
    """A model that remembers the numbers of the rows it was fitted on and refuses to be asked about them."""

    def fit(self, X, y, groups, label, held_out=None):
        self.seen, self.classes = set(X[:, 0].tolist()), len(np.unique(y))
        return self

    def predict_proba(self, X):
        assert not self.seen & set(X[:, 0].tolist()), "asked about a row that it was fitted on"
        return np.full((len(X), self.classes), 1 / self.classes)

    def save(self, folder):
        raise NotImplementedError

    history_ = pd.DataFrame({"epoch": [1], "loss": [0.7], "val_loss": [0.7]})


def test_every_sample_is_predicted_once_by_an_unseeing_model():
    y = np.arange(60) % 2
    rows = np.arange(60.0)[:, None]
    _, oof, _ = cross(Witness, rows, dataset(rows, y), 2)
    np.testing.assert_array_equal(oof, 0.5)


def test_a_recognisable_group_is_never_on_both_sides():
    """Each group has features and a drawn label of its own: whoever saw one member knows the label of all others."""
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(80), 4)
    X = rng.normal(size=(80, 20))[groups] + rng.normal(size=(320, 20)) * 1e-3
    y = rng.integers(2, size=80)[groups]
    dev = dataset(X, y, groups)
    nearest = maker("knn", n_neighbors=1)
    assert (nearest().fit(X, y, groups, "t").predict_proba(X).argmax(axis=1) == y).all()
    _, oof, _ = cross(nearest, X, dev, 2)
    assert 0.3 < np.mean(oof.argmax(axis=1) == y) < 0.7
    straddling = Dataset(**vars(dev) | {"fold": np.arange(320) % 5})  # what a split without groups would do
    _, oof, _ = cross(nearest, X, straddling, 2)
    assert np.mean(oof.argmax(axis=1) == y) == 1


@pytest.mark.parametrize("name", QUICK)
def test_labels_shuffled_at_random_cannot_be_predicted(name):
    X, y = numbers(400, n_features=10)
    dev = dataset(X, np.random.default_rng(0).permutation(y), folds=folds(name))
    _, oof, _ = cross(maker(name), X, dev, 1)
    assert 0.35 <= auc(dev, oof) <= 0.65


@pytest.mark.parametrize("name", [name for name in QUICK if name != "dummy"])
def test_what_can_be_learnt_is_learnt_out_of_fold(name):
    X, y = numbers(200)
    dev = dataset(X, y, folds=folds(name))
    enough = {
        "mobilenetv2": {"epochs": 40, "learning_rate": 0.05, "dropout": 0.1},
        "random_forest": {"n_estimators": 100},
    }
    _, oof, _ = cross(maker(name, **enough.get(name, {})), X, dev, 1)
    assert auc(dev, oof) > 0.85


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("name", ["dummy", "knn", "logreg", "random_forest"])
def test_out_of_fold_probabilities_are_complete_and_sum_to_one(name, n_classes):
    X, y = mixed(100, n_classes)
    _, oof, _ = cross(maker(name), X, dataset(X, y), 2)
    assert oof.shape == (100, n_classes)
    assert oof.dtype == np.float64
    assert ((oof >= 0) & (oof <= 1)).all()
    np.testing.assert_allclose(oof.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("name", ["knn", "logreg", "random_forest"])
def test_the_number_of_workers_changes_no_bit(name):
    X, y = mixed(100)
    dev = dataset(X, y)
    (_, alone, _), (_, side_by_side, _) = (cross(maker(name), X, dev, workers) for workers in (1, 3))
    np.testing.assert_array_equal(alone, side_by_side)


def test_scaling_is_learnt_inside_each_fold():
    """One absurd value would flatten everybody else's scale if its fold were not held out while others are predicted."""
    X, y = numbers(100)
    dev = dataset(X, y)
    spoilt = X.copy()
    spoilt[np.flatnonzero(dev.fold == 0)[0], 0] = 1e5
    _, clean, _ = cross(maker("knn"), X, dev, 1)
    _, fitted, _ = cross(maker("knn"), spoilt, dev, 1)
    others = (dev.fold == 0) & (spoilt[:, 0] < 1e5)
    np.testing.assert_array_equal(fitted[others], clean[others])
    assert not np.array_equal(fitted[dev.fold == 1], clean[dev.fold == 1])


def test_a_history_without_epochs_is_one_line_a_fold():
    X, y = numbers(100)
    dev = dataset(X, y)
    _, oof, history = cross(maker("logreg"), X, dev, 2)
    assert history.columns.tolist() == ["fold", "epoch", "loss", "val_loss"]
    assert history["fold"].tolist() == [0, 1, 2, 3, 4]
    assert history["epoch"].tolist() == [1] * 5
    held_out = dev.fold == 0
    assert history["val_loss"].iloc[0] == pytest.approx(-np.log(oof[held_out, y[held_out]]).mean())
    assert history["loss"].mean() < history["val_loss"].mean()


def test_the_history_of_a_network_is_a_line_an_epoch():
    X, y = numbers(60)
    _, _, history = cross(maker("mobilenetv2"), X, dataset(X, y, folds=2), 1)
    assert history.groupby("fold")["epoch"].agg(list).tolist() == [[1, 2, 3, 4, 5]] * 2
    assert np.isfinite(history[["loss", "val_loss"]].to_numpy()).all()


@pytest.mark.parametrize("name", ["dummy", "knn", "logreg", "random_forest", "mobilenetv2"])
def test_a_training_fold_that_lacks_a_class_is_refused(name):
    X, y = numbers(40, 4)
    dev = dataset(X, y)
    only_in_fold_0 = Dataset(**vars(dev) | {"y": np.where((y == 3) & (dev.fold != 0), 2, y)})
    with pytest.raises(DataError, match=r"a training fold lacks the class \w+; .*lower split\.folds"):
        cross(maker(name), X, only_in_fold_0, 1)


# several combinations


def several(C, X, dev, workers=1):
    return cross_fit([maker("logreg", C=value) for value in C], X, dev, workers, "t", 7)


def test_each_folds_value_is_chosen_by_the_other_folds_alone():
    """Whatever a fold's labels are, the value it takes stays the same; the values that the others take need not."""
    X, y = numbers(100, n_features=20)
    dev = dataset(X, y)
    C = [1e-4, 1e-2, 1.0, 100.0]
    before = several(C, X, dev)
    flipped = np.where(dev.fold == 2, 1 - y, y)
    after = several(C, X, Dataset(**vars(dev) | {"y": flipped}))
    assert before.by_fold[0, 2] == after.by_fold[0, 2]
    np.testing.assert_array_equal(before.oof[dev.fold == 2], after.oof[dev.fold == 2])
    assert before.log_loss[3] < after.log_loss[3]


def test_the_choice_is_that_of_plain_nested_cross_validation():
    """Written out with every inner fit of its own; pairs of folds shared between two outer folds give the same sums."""
    X, y = numbers(100, n_features=20)
    dev = dataset(X, y)
    C = [1e-3, 1e-1, 10.0]
    fitted = several(C, X, dev, workers=2)
    for outer in range(5):
        losses = []
        for value in C:
            loss = 0.0
            for inner in set(range(5)) - {outer}:
                fitted_on = ~np.isin(dev.fold, [outer, inner])
                model = maker("logreg", C=value)().fit(X[fitted_on], y[fitted_on], None, "t")
                held_out = dev.fold == inner
                loss -= np.log(model.predict_proba(X[held_out])[np.arange(held_out.sum()), y[held_out]]).sum()
            losses.append(loss)
        assert fitted.by_fold[0, outer] == np.argmin(losses)
        rest = dev.fold != outer
        own = maker("logreg", C=C[fitted.by_fold[0, outer]])().fit(X[rest], y[rest], None, "t")
        held_out = dev.fold == outer
        np.testing.assert_allclose(fitted.oof[held_out], own.predict_proba(X[held_out]), atol=1e-6)


def test_choosing_among_guessing_models_stays_at_chance():
    """Of 10 that guess, the one that scores best out of fold beats chance; chosen inside the folds they stay at chance."""
    best, nested = [], []
    for seed in range(4):
        X, _ = numbers(60, n_features=10, seed=seed)
        y = np.random.default_rng(seed).permutation(np.arange(60) % 2)
        dev = dataset(X, y)
        makers = [lambda k=k: ClassifierModel(OneColumn(k)) for k in range(10)]
        fitted = cross_fit(makers, X, dev, 1, "t", 7)
        best.append(auc(dev, cross(makers[int(np.argmin(fitted.log_loss))], X, dev, 1)[1]))
        nested.append(auc(dev, fitted.oof))
    assert np.mean(nested) < np.mean(best) - 0.05
    assert abs(np.mean(nested) - 0.5) < 0.1


class OneColumn:
    """Logistic regression on one column."""

    def __init__(self, column):
        self.column, self.model = column, maker("logreg")().classifier

    def fit(self, X, y):
        self.model.fit(X[:, [self.column]], y)
        return self

    def predict_proba(self, X):
        return self.model.predict_proba(X[:, [self.column]])


def test_of_equal_combinations_the_first_is_taken():
    X, y = numbers(60)
    fitted = several([1.0, 1.0], X, dataset(X, y))
    assert fitted.by_fold.tolist() == [[0] * 5]
    assert fitted.on_all == 0


def test_the_number_of_workers_changes_no_choice():
    X, y = mixed(100)
    alone, side_by_side = (several([1e-3, 1.0], X, dataset(X, y), workers) for workers in (1, 3))
    np.testing.assert_array_equal(alone.oof, side_by_side.oof)
    np.testing.assert_array_equal(alone.log_loss, side_by_side.log_loss)
    pd.testing.assert_frame_equal(alone.history, side_by_side.history)


def test_a_network_is_tuned_in_the_same_way():
    X, y = numbers(60)
    dev = dataset(X, y, folds=3)
    makers = [maker("mobilenetv2", learning_rate=rate) for rate in (1e-6, 0.05)]
    fitted = cross_fit(makers, X, dev, 1, "t", 7)
    assert fitted.by_fold.tolist() == [[1, 1, 1]]
    assert fitted.on_all == 1
    assert fitted.history.groupby("fold").size().tolist() == [5, 5, 5]
    np.testing.assert_array_equal(fitted.oof, cross(makers[1], X, dev, 1)[1])


# several repeats of the folds


def repeated(X, y, times=2):
    """Return a data set whose folds are drawn `times` times."""
    dev = dataset(X, y)
    again = {
        f"fold_{n}": (dev.fold + np.random.default_rng(n).integers(5, size=len(y))) % 5 for n in range(2, times + 1)
    }
    return Dataset(**vars(dev) | {"arrays": dict(dev.arrays) | again})


def test_each_repeat_is_what_its_folds_alone_would_give():
    X, y = numbers(100)
    dev = repeated(X, y, 3)
    fitted = several([0.01, 1.0], X, dev, workers=2)
    assert fitted.oof.shape == (300, 2)
    for repeat, fold in enumerate(dev.folds):
        alone = several([0.01, 1.0], X, Dataset(**vars(dev) | {"fold": fold, "arrays": {}}))
        np.testing.assert_array_equal(fitted.oof[100 * repeat : 100 * (repeat + 1)], alone.oof)
        assert fitted.by_fold[repeat].tolist() == alone.by_fold[0].tolist()
    assert fitted.history["fold"].tolist() == list(range(15))


def test_the_model_that_is_kept_does_not_depend_on_repeats():
    X, y = numbers(100)
    once, twice = (cross(maker("logreg"), X, repeated(X, y, times), 2)[0] for times in (1, 2))
    np.testing.assert_array_equal(once.predict_proba(X), twice.predict_proba(X))


@pytest.mark.parametrize("name", ["logreg", "knn", "random_forest", "dummy"])
def test_features_on_disk_give_the_same_probabilities(name, monkeypatch, empty_folder):
    X, y = numbers(120)
    X, dev = X.astype(np.float32), dataset(X, y)
    _, in_memory, _ = cross(maker(name), X, dev, 2)
    monkeypatch.setattr(mapped_rows, "BLOCK", 30)
    _, on_disk, _ = cross(maker(name), mapped_rows.select(X, np.arange(len(y))), dev, 2)
    np.testing.assert_allclose(on_disk, in_memory, atol=1e-3)
