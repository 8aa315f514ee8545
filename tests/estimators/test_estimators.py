"""What every scikit-learn estimator of the folder promises before and after it is fitted."""

import io
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest

from pipeline.core.code_hashes import estimator_names
from tests.helpers.models import MAKERS, classifier, dumped, mixed

NAMES = [name for name in estimator_names() if name not in ("mobilenetv2", "mean_of_two")]  # these are no classifiers
LEARNERS = [name for name in NAMES if name != "dummy"]
# With which an estimator can memorise its samples
MEMORY = {
    "knn": {"n_neighbors": 1},
    "logreg": {"C": 1e6},
    "hist_gradient_boosting": {"min_samples_leaf": 1, "learning_rate": 0.3},
}


def build(name, seed=7, **own):
    return classifier(name, seed, **({"n_estimators": 20} if name == "random_forest" else {}) | own)


def odd_rows():
    """Return rows such as no training set had: everything missing, unknown categories, values in empty columns."""
    columns = {"age": [np.nan, 50.0, 1e3, -5.0], "size": [np.nan, np.nan, 0.0, 2.0], "site": ["", "Mars", "arm", "leg"]}
    columns |= {"empty": [np.nan, 7.0, 1e9, np.nan], "constant": [np.nan, 3.0, -1e9, 3.0]}
    return pd.DataFrame(columns).astype({"site": object})


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("name", NAMES)
def test_there_is_a_probability_for_each_row_and_class(name, n_classes, make):
    X, y = make(60, n_classes)
    proba = build(name).fit(X, y).predict_proba(X)
    assert proba.shape == (60, n_classes)
    assert proba.min() >= 0
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("name", LEARNERS)
def test_ten_rows_with_random_labels_can_be_memorised(name, make):
    rng = np.random.default_rng(5)
    noise = rng.normal(size=(10, 12))
    X = mixed(10)[0].assign(**{f"x{k}": noise[:, k] for k in range(12)}) if make is mixed else noise
    y = rng.permutation(np.arange(10) % 2)
    proba = build(name, **MEMORY.get(name, {})).fit(X, y).predict_proba(X)
    assert (proba.argmax(axis=1) == y).all()


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("name", LEARNERS)
def test_classes_that_differ_are_separated_on_new_rows(name, make):
    estimator = build(name).fit(*make(200))
    X, y = make(200, seed=9)
    proba = estimator.predict_proba(X)[:, 1]
    assert proba[y == 1].mean() - proba[y == 0].mean() > 0.15


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("name", NAMES)
def test_a_saved_estimator_gives_identical_probabilities(name, make):
    X, y = make(60, 4)
    estimator = build(name).fit(X, y)
    loaded = joblib.load(io.BytesIO(dumped(estimator)))
    unseen = odd_rows() if make is mixed else make(20, 4, seed=3)[0]
    for rows in (X, X[:1], unseen):
        np.testing.assert_array_equal(loaded.predict_proba(rows), estimator.predict_proba(rows))


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_bytes(name, make):
    first, second = (dumped(build(name).fit(*make(60))) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", NAMES)
def test_unseen_kinds_of_rows_get_finite_probabilities(name):
    estimator = build(name).fit(*mixed(60, 4))
    proba = estimator.predict_proba(odd_rows())
    assert np.isfinite(proba).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("value", [1e300, -1e300, 1.7e308])
@pytest.mark.parametrize("name", NAMES)
def test_an_absurd_number_gets_finite_probabilities(name, value):
    X, y = mixed(60)
    row = X[:1].assign(age=value, size=value)
    proba = build(name).fit(X, y).predict_proba(row)
    assert np.isfinite(proba).all()


@pytest.mark.parametrize("column", ["empty", "constant"])
@pytest.mark.parametrize("name", LEARNERS)
def test_a_constant_column_has_no_effect(name, column):
    X, y = mixed(60)
    estimator = build(name).fit(X, y)
    np.testing.assert_array_equal(
        estimator.predict_proba(X.assign(**{column: 1e4})), estimator.predict_proba(X.assign(**{column: np.nan}))
    )


@pytest.mark.parametrize("name", ["logreg", "random_forest"])
def test_balanced_class_weight_raises_the_rarer_class(name):
    rng = np.random.default_rng(0)
    y = (np.arange(200) % 10 == 0).astype(int)
    X = rng.normal(size=(200, 4)) + y[:, None] * 0.5
    own = {"min_samples_leaf": 10} if name == "random_forest" else {}
    balanced, plain = (build(name, class_weight=w, **own).fit(X, y) for w in ("balanced", None))
    rare = balanced.predict_proba(X)[:, 1].mean(), plain.predict_proba(X)[:, 1].mean()
    assert rare[0] > rare[1] + 0.1
    assert rare[1] == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("name", ["knn", "logreg"])
def test_the_order_of_rows_changes_no_prediction(name, make):
    X, y = make(80)
    order = np.random.default_rng(1).permutation(80)
    shuffled = X.iloc[order] if make is mixed else X[order]
    unseen, _ = make(40, seed=2)
    np.testing.assert_allclose(
        build(name).fit(shuffled, y[order]).predict_proba(unseen),
        build(name).fit(X, y).predict_proba(unseen),
        atol=1e-4 if name == "logreg" else 1e-9,  # lbfgs stops where the gradient is under its tolerance
    )


@pytest.mark.parametrize("name", ["knn", "logreg"])
def test_units_change_no_prediction(name):
    X, y = mixed(80)
    in_months = X.assign(age=X["age"] * 12 + 1000)
    np.testing.assert_allclose(
        build(name).fit(in_months, y).predict_proba(in_months), build(name).fit(X, y).predict_proba(X), atol=1e-4
    )


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_read_without_scikit_learn(name):
    code = f"import sys, pipeline.estimators.{name}; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
