"""How the two best of several classifiers are chosen, and their mean."""

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from pipeline.core import params
from pipeline.core.errors import DataError
from pipeline.estimators import mean_of_two
from pipeline.estimators._mean import INNER, Member, divide, mean_of, two_best
from pipeline.estimators._prepare import prepared
from tests.helpers.models import classifier, dumped, mixed, numbers

OF = {"logreg": {"C": [0.01, 1.0]}, "random_forest": {"n_estimators": 10}, "knn": {"n_neighbors": 5}}


def members(of):
    return [mean_of_two.member(name, block, 7) for name, own in of.items() for block in params.combinations(own)]


def alone(X):
    return np.arange(len(X)).astype(str)


def test_groups_are_divided_whole_and_each_class_evenly():
    groups = np.repeat(np.arange(30), 2).astype(str)
    y = np.repeat(np.arange(30) % 3 == 0, 2).astype(int)
    part = divide(y, groups, 1)
    assert {len(set(part[groups == name])) for name in groups} == {1}
    assert all(np.ptp(np.bincount(part[y == k])) <= 2 for k in (0, 1))


@pytest.mark.parametrize("make", [numbers, mixed])
def test_the_two_best_by_log_loss_are_chosen(make):
    X, y = make(150)
    noise = Member("noise", {}, lambda: prepared(DummyClassifier(strategy="uniform")))
    chosen = two_best([noise, *members(OF)], X, y, alone(X), 7, "m")
    assert len({member.name for member in chosen}) == 2
    assert "noise" not in {member.name for member in chosen}


def test_the_best_values_of_a_member_are_chosen():
    X, y = numbers(300)
    chosen = two_best(members({"logreg": {"C": [1e-6, 1.0]}, "knn": {}}), X, y, alone(X), 7, "m")
    assert chosen[0].own == {"C": 1.0}


def test_the_mean_is_that_of_the_members():
    X, y = mixed(100, 4)
    chosen = members({"logreg": {}, "random_forest": {"n_estimators": 10}})
    fitted = mean_of(chosen, X, y)
    each = [classifier(member.name, **member.own).fit(X, y).predict_proba(X) for member in chosen]
    np.testing.assert_allclose(fitted.predict_proba(X), np.mean(each, axis=0), atol=1e-12)
    np.testing.assert_array_equal(fitted.predict(X), np.mean(each, axis=0).argmax(axis=1))


def test_equal_fits_have_equal_bytes():
    X, y = mixed(80)
    first, second = (dumped(mean_of(two_best(members(OF), X, y, alone(X), 3, "m"), X, y)) for _ in range(2))
    assert first == second


def test_a_member_that_no_part_can_fit_is_absent(capsys):
    X, y = numbers(12, 2)
    y = np.array([0] * 11 + [1])
    groups = np.array(["a"] * 6 + ["b"] * 6)
    both = members({"logreg": {}, "knn": {"n_neighbors": 11}})
    assert [member.name for member in two_best(both, X, y, groups, 0, "train m")] == ["logreg"]
    assert "train m: left out of the mean of two, because" in (printed := capsys.readouterr().err)
    assert "12 samples is too small: knn (needs 11 samples)" in printed
    np.testing.assert_array_equal(mean_of(both[:1], X, y).predict_proba(X), both[0].build().fit(X, y).predict_proba(X))
    with pytest.raises(DataError, match=r"knn \(needs 11 samples\); name one that needs fewer in `of`"):
        two_best(both[1:], X, y, groups, 0, "m")
    assert len(set(divide(y, groups, 0))) <= INNER


def test_a_frame_with_any_index_is_divided():
    X, y = mixed(60)
    shuffled = pd.concat([X[30:], X[:30]])
    again = np.concatenate([y[30:], y[:30]])
    assert len(two_best(members(OF), shuffled, again, alone(X), 0, "m")) == 2


def test_trees_that_cannot_split_are_not_chosen():
    X, y = numbers(45)
    chosen = two_best(members({"hist_gradient_boosting": {}, "logreg": {}, "knn": {}}), X, y, alone(X), 0, "m")
    assert [member.name for member in chosen] == ["logreg", "knn"]
