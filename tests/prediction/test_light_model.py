"""The usual models are read from their file without scikit-learn, and answer with the same bits."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.estimators import _prepare
from pipeline.prediction import explanation, light_model, portable
from pipeline.prediction.decision_rule import DecisionRule
from pipeline.prediction.fast_predict import fast_predict_proba
from tests.helpers.models import NAMES, classifier, dumped, mixed, numbers

MODELS = {
    "logreg": {},
    "random_forest": {"n_estimators": 30},
    "knn": {"n_neighbors": 7, "weights": "distance"},
}


def wrapped(name, X, y, **own):
    """Return an estimator fitted on X, and the file that a bundle has of it."""
    fitted = classifier(name, **(MODELS.get(name, {}) | own)).fit(X, y)
    return fitted, dumped(portable.wrap(fitted, DecisionRule(), NAMES[int(y.max()) + 1]))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("make", [numbers, mixed])
def test_answers_have_the_same_bits(name, n_classes, make):
    fitted, file = wrapped(name, *make(150, n_classes))
    rows = make(60, n_classes, seed=5)[0]
    light, expected = light_model.read(file), fast_predict_proba(fitted)
    np.testing.assert_array_equal(light.predict_proba(rows), expected(rows))
    np.testing.assert_array_equal(light_model.read(dumped(fitted)).predict_proba(rows), expected(rows))
    single = rows[7:8]
    np.testing.assert_array_equal(light.predict_proba(single), expected(single))
    again = pickle.loads(pickle.dumps(light))
    np.testing.assert_array_equal(again.predict_proba(rows), expected(rows))


def test_values_beyond_all_measure_are_cut_off_alike():
    fitted, file = wrapped("logreg", *numbers(100))
    rows = np.full((2, 6), 3e38, np.float32)
    np.testing.assert_array_equal(light_model.read(file).predict_proba(rows), fast_predict_proba(fitted)(rows))
    assert light_model.LIMIT == _prepare.LIMIT


@pytest.mark.parametrize("name", MODELS)
def test_an_answer_rests_on_the_same_columns(name):
    X, y = mixed(150)
    fitted, file = wrapped(name, X, y)
    light, row = light_model.read(file), X.iloc[:1]
    assert explanation.kind_of(light) == explanation.kind_of(fitted)
    if name == "logreg":
        assert explanation.terms(light, row, 1) == explanation.terms(fitted, row, 1)
    usual = {"age": 50.0, "size": 0.0, "site": "arm", "empty": np.nan, "constant": 3.0}
    expected = explanation.changes(fast_predict_proba(fitted), row, usual, 1)
    assert explanation.changes(light.predict_proba, row, usual, 1) == expected


@pytest.mark.parametrize("name", ["dummy", "hist_gradient_boosting"])
def test_other_models_are_left_to_scikit_learn(name):
    assert light_model.read(wrapped(name, *numbers(100))[1]) is None


def test_an_unknown_setting_is_left_to_scikit_learn():
    X, y = mixed(100)
    fitted, _ = wrapped("logreg", X, y)
    fitted[0].transformer_.named_transformers_["choices"].handle_unknown = "error"
    assert light_model.read(dumped(portable.wrap(fitted, DecisionRule(), NAMES[2]))) is None
    assert light_model.read(b"no pickle") is None


def test_a_served_row_needs_neither_scikit_learn_nor_pandas(table):
    code = "import sys; from pipeline.prediction import self_test; from pipeline.prediction.predictor import Predictor;"
    code += "model = Predictor('best'); self_test.golden_predictions(model);"
    code += "row = {'age': 'NA', 'size': 0.2, 'site': 'arm', 'empty': None, 'constant': 3};"
    code += "assert model.predict(row, 'a')['class'];"
    code += "assert not {'sklearn', 'scipy', 'pandas', 'pyarrow'} & set(sys.modules)"
    env = {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": ""}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=table, env=env)
