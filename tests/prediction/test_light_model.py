"""Logistic regressions and forests are read from their file without scikit-learn, and answer as it does."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn import linear_model

from pipeline.estimators import _prepare
from pipeline.prediction import explanation, light_model, portable
from pipeline.prediction.decision_rule import DecisionRule
from tests.helpers.models import NAMES, classifier, dumped, mixed, numbers

MODELS = {"logreg": {}, "random_forest": {"n_estimators": 30}}
NEAR = {"logreg": 1e-6, "random_forest": 0}


def file_of(fitted, n_classes=2):
    """Return the file that a bundle has of a fitted model."""
    return dumped(portable.wrap(fitted, DecisionRule(), NAMES[n_classes]))


def wrapped(name, X, y, **own):
    """Return an estimator fitted on X, and the file that a bundle has of it."""
    fitted = classifier(name, **(MODELS.get(name, {}) | own)).fit(X, y)
    return fitted, file_of(fitted, int(y.max()) + 1)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("make", [numbers, mixed])
def test_answers_are_those_of_scikit_learn(name, n_classes, make):
    fitted, file = wrapped(name, *make(150, n_classes))
    rows = make(60, n_classes, seed=5)[0]
    light, expected = light_model.read(file), fitted.predict_proba(rows)
    answers = light.predict_proba(rows)
    np.testing.assert_allclose(answers, expected, rtol=0, atol=NEAR[name])
    for same in (light_model.read(dumped(fitted)), pickle.loads(pickle.dumps(light))):
        np.testing.assert_array_equal(same.predict_proba(rows), answers)
    alone = [light.predict_proba(rows[k : k + 1])[0] for k in range(len(rows))]
    np.testing.assert_array_equal(alone, answers)


def test_standardised_values_have_the_same_bits_and_are_cut_off():
    fitted, file = wrapped("logreg", *numbers(100))
    rows = np.concatenate([numbers(20)[0], np.full((1, 6), 3e38, np.float32)])
    prepare = light_model.read(file).steps[0][1]
    np.testing.assert_array_equal(prepare.transform(rows), fitted[0].transform(rows))
    assert light_model.LIMIT == _prepare.LIMIT


@pytest.mark.parametrize("name", MODELS)
def test_an_answer_rests_on_the_same_columns(name):
    X, y = mixed(150)
    fitted, file = wrapped(name, X, y)
    light, row = light_model.read(file), X.iloc[:1]
    assert explanation.is_regression(light) == explanation.is_regression(fitted) == (name == "logreg")
    if name == "logreg":
        assert explanation.terms(light, row, 1) == explanation.terms(fitted, row, 1)
    usual = {"age": 50.0, "size": 0.0, "site": "arm", "empty": np.nan, "constant": 3.0}
    expected = explanation.changes(fitted.predict_proba, row, usual, 1)
    assert explanation.changes(light.predict_proba, row, usual, 1) == pytest.approx(expected, abs=2 * NEAR[name])


class LogisticRegression(linear_model.LogisticRegression):
    """Another project's class with the name of scikit-learn's, which answers in another way."""

    def predict_proba(self, X):
        return (super().predict_proba(X) + 0.5) / 2


@pytest.mark.parametrize("name", ["dummy", "hist_gradient_boosting", "knn"])
def test_other_models_are_left_to_scikit_learn(name):
    assert light_model.read(wrapped(name, *numbers(100))[1]) is None


def test_another_projects_class_of_the_same_name_answers_by_itself():
    fitted = _prepare.prepared(LogisticRegression()).fit(*numbers(100))
    assert light_model.read(file_of(fitted)) is None
    assert not explanation.is_regression(fitted)


def test_an_unknown_setting_is_left_to_scikit_learn():
    X, y = mixed(100)
    fitted, _ = wrapped("logreg", X, y)
    fitted[0].transformer_.named_transformers_["choices"].handle_unknown = "error"
    assert light_model.read(file_of(fitted)) is None
    assert light_model.read(b"no pickle") is None


def test_a_served_row_needs_neither_scikit_learn_nor_pandas(table):
    code = "import sys; from pipeline.prediction import self_test; from pipeline.prediction.predictor import Predictor;"
    code += "model = Predictor('best'); self_test.golden_predictions(model);"
    code += "row = {'age': 'NA', 'size': 0.2, 'site': 'arm', 'empty': None, 'constant': 3};"
    code += "assert model.predict(row, 'a')['class'];"
    code += "assert not {'sklearn', 'scipy', 'pandas', 'pyarrow'} & set(sys.modules)"
    env = {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": ""}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=table, env=env)
