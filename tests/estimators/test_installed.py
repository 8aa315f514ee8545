"""Classifiers of installed packages, named by class: what is refused, a project that is followed to its answer.

One of an environment of its own, LightGBM, is in soak/test_lightgbm.py.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from pipeline import check as check_stage
from pipeline.core.errors import BundleError, DataError, ParamsError
from pipeline.estimators._installed import InstalledModel
from pipeline.estimators._prepare import prepared
from pipeline.estimators._protocol import get_estimator
from pipeline.prediction import bundle
from pipeline.prediction.decision_rule import DecisionRule
from pipeline.prediction.predictor import Predictor
from pipeline.training.candidate import Candidate
from tests.helpers.models import classifier, dataset, dumped, mixed, numbers, train_and_evaluate, write_params

TREES = "sklearn.ensemble:ExtraTreesClassifier"
OWN = """
from sklearn.base import BaseEstimator, ClassifierMixin
import numpy as np


class Prior(ClassifierMixin, BaseEstimator):
    def __init__(self, weight, *, more=1.0):
        self.weight, self.more = weight, more

    def fit(self, X, y):
        self.classes_, counts = np.unique(y, return_counts=True)
        self.share_ = counts / len(y)
        return self

    def predict(self, X):
        return self.classes_[np.full(len(X), self.share_.argmax())]

    def predict_proba(self, X):
        return np.tile(self.share_, (len(X), 1))


class Silent(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        return self


class Plain:
    pass


class Open(Prior):
    def __init__(self, **kwargs):
        if not kwargs:
            raise RuntimeError("nothing given")
        super().__init__(1, **kwargs)


helper = 3
"""


@pytest.fixture
def own_module(empty_folder, monkeypatch):
    """A file own_models.py in the project's folder."""
    (empty_folder / "own_models.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(empty_folder))
    yield empty_folder / "own_models.py"
    sys.modules.pop("own_models", None)


def make_task(n, **block):
    """Write a params.yaml of the model t-own, and its data; return the features."""
    X, y = mixed(n)
    write_params({"t-own": block}, metric="roc_auc")
    dataset(X, y).save(Path("data/t/dev.npz"))
    X.assign(label=np.where(y, "malignant", "benign")).to_csv("raw", index=False)
    return X


def export():
    bundle.write(Path("out"), Path("models/t/candidates/t-own"), DecisionRule.read("t", "t-own"), {})


def refused(message, estimator, **own):
    with pytest.raises(ParamsError, match=message):
        checked(estimator, own)


def checked(estimator, own):
    named = get_estimator(estimator)
    named.check(named.Params(**own), "columns", "params.yaml: models.m")


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        ("nosuchpackage.x:Y", r"nosuchpackage.x cannot be imported \(No module named 'nosuchpackage'\): install"),
        ("sklearn.ensemble:ExtraTreeClassifier", "sklearn.ensemble has no class .+; did you mean 'ExtraTreesClassifier'"),
        ("sklearn.ensemble:", "is not the name of a class; expected package.module:Class"),
        ("../x:Y", "is not the name of a class"),
        ("sklearn.linear_model:LinearRegression", "LinearRegression is no classifier"),
        ("sklearn.mixture:GaussianMixture", "GaussianMixture is no classifier"),
        ("sklearn.linear_model:RidgeClassifier", "RidgeClassifier gives no probabilities"),
        ("sklearn.ensemble:StackingClassifier", "StackingClassifier needs estimators, for which it has no default"),
        ("own_models:helper", "own_models has no class 'helper'"),
        ("own_models:Plain", "Plain cannot stand in a pipeline of scikit-learn; expected a class derived from"),
        ("own_models:Silent", "Silent gives no probabilities"),
        ("own_models:Prior", "Prior needs weight"),
    ],
)  # fmt: skip
def test_a_class_that_cannot_be_used_is_refused(own_module, estimator, message):
    refused(message, estimator)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"n_estimator": 5}, "models.m.n_estimator: ExtraTreesClassifier has no such parameter; did you mean 'n_estimators'"),
        ({"zzz": 5}, r"models.m.zzz: ExtraTreesClassifier has no such parameter; it has: n_estimators, .+"),
        ({"n_estimators": -1}, "models.m: ExtraTreesClassifier refuses its parameters: The 'n_estimators' parameter"),
        ({"criterion": "ginni"}, "models.m: ExtraTreesClassifier refuses its parameters: The 'criterion' parameter"),
    ],
)  # fmt: skip
def test_a_parameter_is_checked_before_anything_runs(own, message):
    refused(message, TREES, **own)


def test_a_class_that_takes_any_key_is_given_those_it_does_not_name(own_module):
    named = get_estimator("own_models:Open")
    named.check(named.Params(more=2.0), "columns", "params.yaml: models.m")
    refused("Open refuses its parameters: .*unexpected keyword argument 'other'", "own_models:Open", other=1)
    refused("Open refuses its parameters: nothing given", "own_models:Open")


def test_a_class_that_refuses_the_features_says_why():
    X, y = numbers()
    model = classifier("sklearn.naive_bayes:MultinomialNB")
    with pytest.raises(
        DataError, match=r"t fold 1: MultinomialNB cannot be fitted on these .+: Negative values in data"
    ):
        model.fit(X, y, y, "t fold 1")


class Odd(ClassifierMixin, BaseEstimator):
    """A classifier that misbehaves in one way."""

    def __init__(self, way=""):
        self.way = way

    def fit(self, X, y):
        if self.way == "exits":
            sys.exit(0)
        if self.way == "handle":
            self.handle_ = lambda: None
        self.classes_ = np.unique(y)[::-1] if self.way == "reversed" else np.unique(y)
        return self

    def predict_proba(self, X):
        if self.way == "raises":
            raise OSError("no device")
        proba = np.full((len(X), 2), 0.5)
        if self.way == "batch":
            proba += np.outer(X[:, 0] > X[:, 0].mean(), [0.2, -0.2])
        return {"nan": proba * np.nan, "sums": proba * 2, "shape": proba[:, 0], "negative": proba * [3, -1]}.get(
            self.way, proba
        )


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("exits", "t fold 1: Odd cannot be fitted on these features, .+: 0"),
        ("reversed", r"t fold 1: Odd has the classes_ \[1, 0\]; expected those it was fitted on, \[0, 1\]"),
        ("raises", "Odd.predict_proba cannot be computed: no device"),
        ("nan", r"Odd.predict_proba: expected probabilities of shape \(5, 2\), got some that are missing"),
        ("sums", "got some that are missing, negative or do not sum to 1"),
        ("negative", "got some that are missing, negative or do not sum to 1"),
        ("shape", r"expected probabilities of shape \(5, 2\), got \(5,\)"),
        ("batch", "t fold 1: Odd.predict_proba answers a sample alone otherwise than among others"),
        ("handle", r"Odd cannot be saved as .+/model.joblib: .*lambda"),
    ],
)
def test_a_class_that_misbehaves_is_named(empty_folder, way, message):
    def use(X, y):
        model = InstalledModel(prepared(Odd(way))).fit(X, y, y.astype(str), "t fold 1")
        model.predict_proba(X)
        model.save(empty_folder)

    with pytest.raises(DataError, match=message):
        use(*numbers(80))


def test_params_yaml_with_a_wrong_class_stops_check(empty_folder):
    write_params({"t-trees": {"estimator": TREES, "n_estimator": 3}}, metric="roc_auc")
    with pytest.raises(ParamsError, match=r"^params.yaml: models.t-trees.n_estimator: "):
        check_stage.main()
    write_params({"t-trees": {"estimator": "nosuchpackage:Y"}}, metric="roc_auc")
    with pytest.raises(ParamsError, match=r"^params.yaml: models.t-trees.estimator: nosuchpackage cannot be imported"):
        check_stage.main()


def test_equal_seeds_give_equal_bytes():
    X, y = numbers()
    models = [classifier(TREES, seed, n_estimators=5).classifier.fit(X, y) for seed in (7, 7, 8)]
    first, second, other = map(dumped, models)
    assert first == second
    assert first != other


def test_logistic_regression_by_name_warns_of_no_threads():
    X, y = numbers()  # warnings are errors
    classifier("sklearn.linear_model:LogisticRegression", 7).classifier.fit(X, y)


def test_own_seed_and_threads_come_before_the_projects():
    made = classifier(TREES, 7, random_state=3, n_jobs=2).classifier[-1]
    assert (made.random_state, made.n_jobs) == (3, 2)


def test_a_tuned_class_answers_from_its_bundle(empty_folder):
    X = make_task(60, estimator=TREES, n_estimators=10, max_depth=[1, 3])
    check_stage.main()
    train_and_evaluate({"t-own": {}})
    described = Candidate.read(Path("models/t/candidates/t-own"))
    assert described.estimator == TREES
    assert described.tuned.chosen["max_depth"] in (1, 3)
    assert any(line.startswith("scikit-learn ") for line in Path("data/.code/train-t-own").read_text().splitlines())
    export()
    item = Predictor("out").predict(X.iloc[0].to_dict(), "first")
    assert sum(item["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_a_bundle_whose_package_is_missing_names_it(own_module):
    make_task(60, estimator="own_models:Prior", weight=2)
    train_and_evaluate({"t-own": {}})
    export()
    own_module.unlink()
    sys.modules.pop("own_models")
    with pytest.raises(BundleError, match=r"needs the package own_models, .+ training had .+own_models sha256:"):
        Predictor("out")
