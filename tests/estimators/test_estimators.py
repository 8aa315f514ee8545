"""What every classical estimator promises before and after it has learnt, and the preparation they share."""

import io
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest

from pipeline.estimators import _prepare, dummy, knn, logreg, random_forest
from pipeline.estimators._prepare import Prepare
from tests.models import dumped, mixed, numbers

MODULES = {"dummy": dummy, "knn": knn, "logreg": logreg, "random_forest": random_forest}
LEARNERS = ["knn", "logreg", "random_forest"]
MEMORY = {"knn": {"n_neighbors": 1}, "logreg": {"C": 1e6}, "random_forest": {}}
MAKERS = {"array": numbers, "table": mixed}


def build(name, seed=7, **own):
    own = {"n_estimators": 20} | own if name == "random_forest" else own
    return MODULES[name].build(MODULES[name].Params(**own), seed)


def odd_rows():
    """Return rows such as no training set had: everything missing, unknown categories, values in empty columns."""
    columns = {"age": [np.nan, 50.0, 1e3, -5.0], "size": [np.nan, np.nan, 0.0, 2.0], "site": ["", "Mars", "arm", "leg"]}
    columns |= {"empty": [np.nan, 7.0, 1e9, np.nan], "constant": [np.nan, 3.0, -1e9, 3.0]}
    return pd.DataFrame(columns).astype({"site": object})


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("name", MODULES)
def test_there_is_a_probability_for_each_row_and_class_and_they_sum_to_one(name, n_classes, make):
    X, y = make(60, n_classes)
    proba = build(name).fit(X, y).predict_proba(X)
    assert proba.shape == (60, n_classes)
    assert proba.min() >= 0
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("name", LEARNERS)
def test_ten_rows_with_drawn_labels_can_be_learnt_by_heart(name, make):
    rng = np.random.default_rng(5)
    noise = rng.normal(size=(10, 12))
    X = mixed(10)[0].assign(**{f"x{k}": noise[:, k] for k in range(12)}) if make is mixed else noise
    y = rng.permutation(np.arange(10) % 2)
    proba = build(name, **MEMORY[name]).fit(X, y).predict_proba(X)
    assert (proba.argmax(axis=1) == y).all()


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("name", LEARNERS)
def test_what_can_be_told_apart_is_told_apart_on_new_rows(name, make):
    estimator = build(name).fit(*make(200))
    X, y = make(200, seed=9)
    proba = estimator.predict_proba(X)[:, 1]
    assert proba[y == 1].mean() - proba[y == 0].mean() > 0.15


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("name", MODULES)
def test_a_saved_estimator_gives_identical_probabilities_to_known_and_odd_rows(name, make):
    X, y = make(60, 4)
    estimator = build(name).fit(X, y)
    loaded = joblib.load(io.BytesIO(dumped(estimator)))
    unseen = odd_rows() if make is mixed else make(20, 4, seed=3)[0]
    for rows in (X, X[:1], unseen):
        np.testing.assert_array_equal(loaded.predict_proba(rows), estimator.predict_proba(rows))


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("name", MODULES)
def test_the_same_seed_gives_the_same_bytes(name, make):
    first, second = (dumped(build(name).fit(*make(60))) for _ in range(2))
    assert first == second


def test_another_seed_gives_another_forest():
    assert dumped(build("random_forest", 1).fit(*numbers())) != dumped(build("random_forest", 2).fit(*numbers()))


@pytest.mark.parametrize("name", MODULES)
def test_answers_are_finite_and_no_warning_is_given_for_rows_such_as_nobody_saw(name):
    estimator = build(name).fit(*mixed(60, 4))
    proba = estimator.predict_proba(odd_rows())
    assert np.isfinite(proba).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("value", [1e300, -1e300, 1.7e308])
@pytest.mark.parametrize("name", MODULES)
def test_an_absurd_number_gets_an_answer_instead_of_a_crash(name, value):
    X, y = mixed(60)
    row = X[:1].assign(age=value, size=value)
    proba = build(name).fit(X, y).predict_proba(row)
    assert np.isfinite(proba).all()


@pytest.mark.parametrize("column", ["empty", "constant"])
@pytest.mark.parametrize("name", LEARNERS)
def test_a_column_in_which_nothing_varied_has_no_say(name, column):
    X, y = mixed(60)
    estimator = build(name).fit(X, y)
    np.testing.assert_array_equal(
        estimator.predict_proba(X.assign(**{column: 1e4})), estimator.predict_proba(X.assign(**{column: np.nan}))
    )


@pytest.mark.parametrize("name", ["logreg", "random_forest"])
def test_balanced_class_weight_raises_the_probability_of_the_rarer_class(name):
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


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_more_of_what_tells_the_positive_class_never_lowers_its_probability_in_logreg(make):
    X, y = make(200)
    estimator = build("logreg").fit(X, y)
    row = X[:1]
    values = np.linspace(0, 100, 21)
    rows = [row.assign(age=value) if make is mixed else np.column_stack([[value], row[:, 1:]]) for value in values]
    proba = [estimator.predict_proba(changed)[0, 1] for changed in rows]
    assert (np.diff(proba) >= 0).all()
    assert proba[-1] > proba[0] + 0.5


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_dummy_answers_with_the_class_frequencies(n_classes):
    y = np.array([0] * 5 + [1] * 3 + [2] * 2 + [3] * 10 if n_classes == 4 else [0] * 3 + [1])
    proba = build("dummy").fit(np.zeros((len(y), 2)), y).predict_proba(np.ones((3, 2)))
    np.testing.assert_allclose(proba, np.tile(np.bincount(y) / len(y), (3, 1)))


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_neighbours_vote_as_asked_for(weights):
    X, y = np.array([[0.0], [1.0], [1.5], [9.0]]), np.array([0, 1, 1, 0])
    proba = build("knn", n_neighbors=3, weights=weights).fit(X, y).predict_proba(X[:1])
    assert proba[0, 1] == pytest.approx({"uniform": 2 / 3, "distance": 0.0}[weights])


def test_min_samples_leaf_makes_probabilities_smoother():
    X, y = numbers()
    rough, smooth = (build("random_forest", min_samples_leaf=n).fit(X, y).predict_proba(X)[:, 1] for n in (1, 20))
    assert np.ptp(smooth) < np.ptp(rough)


def test_preparation_learns_only_in_fit():
    table = pd.DataFrame({"age": [1.0, 3.0, np.nan, 8.0], "site": ["arm", "leg", "arm", ""]}).astype({"site": object})
    prepare = Prepare().fit(table)
    before = dumped(prepare)
    prepare.transform(table.assign(age=1e6, site="Mars"))
    assert dumped(prepare) == before


def test_a_missing_number_becomes_the_median():
    table = pd.DataFrame({"age": [1.0, 3.0, np.nan, 8.0]})
    prepare = Prepare().fit(table)
    missing, median = prepare.transform(pd.DataFrame({"age": [np.nan, 3.0]}))
    assert missing == median


def test_an_unknown_category_is_all_zeros_and_a_missing_one_is_a_category():
    table = pd.DataFrame({"site": ["arm", "leg", "arm", ""]}).astype(object)
    unknown, missing = Prepare().fit(table).transform(pd.DataFrame({"site": ["Mars", ""]}).astype(object))
    assert unknown.tolist() == [0, 0, 0]
    assert sorted(missing.tolist()) == [0, 0, 1]


def test_preparation_standardises_and_leaves_its_input_alone():
    X, _ = numbers()
    copy = X.copy()
    found = Prepare().fit(X).transform(X)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=0), 1, atol=1e-5)
    np.testing.assert_array_equal(X, copy)


def test_a_constant_feature_of_an_array_stays_finite():
    X = np.column_stack([np.arange(10.0), np.zeros(10)]).astype(np.float32)
    assert np.isfinite(Prepare().fit(X).transform(X)).all()


@pytest.mark.parametrize("name", MODULES)
def test_reading_an_estimators_parameters_does_not_import_scikit_learn(name):
    code = f"import sys, pipeline.estimators.{name}; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_knn_compares_in_float64_where_scikit_learn_is_ten_times_faster():
    X, y = numbers(60)
    search = build("knn").fit(X, y).steps[-1][1].steps[-1][1]
    assert search._fit_X.dtype == np.float64


@pytest.mark.parametrize(
    "columns", [["age", "size"], ["site"], ["age", "size", "site", "empty", "constant"], ["empty"]]
)
def test_a_table_is_prepared_to_the_bit_and_in_the_layout_that_scikit_learn_gives(columns):
    table = mixed(80)[0][columns]
    fitted = _prepare.of_table(table)
    expected, found = fitted.transform(table), _prepare.transform_table(fitted, table)
    assert (found.tobytes("A"), found.strides, found.dtype) == (expected.tobytes("A"), expected.strides, expected.dtype)
