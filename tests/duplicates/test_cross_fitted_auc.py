"""How well a property predicts the label, on groups that it was not learnt on."""

import numpy as np
import pytest

from pipeline.duplicates.cross_fitted_auc import cross_fit, cross_fit_codes, divide, limits

Y = np.arange(200) % 2
ALONE = np.arange(200)


def test_a_property_that_is_the_label_has_area_1():
    fitted = cross_fit(Y[:, None].astype(float), Y, ALONE)
    assert fitted.roc_auc == 1
    low, high = limits(fitted)
    assert 0.9 < low < high == 1


def test_a_property_by_chance_has_an_interval_around_one_half():
    fitted = cross_fit(np.random.default_rng(0).normal(size=(200, 1)), Y, ALONE)
    low, high = limits(fitted)
    assert low < 0.5 < high


def test_what_only_names_the_group_predicts_nothing():
    groups = np.arange(200) // 10
    labels = groups % 2
    fitted = cross_fit(np.random.default_rng(0).permutation(20)[groups][:, None].astype(float), labels, groups)
    assert fitted.roc_auc < 0.75
    assert all(not set(groups[rest]) & set(groups[held_out]) for rest, held_out in divide(labels, groups))


@pytest.mark.parametrize("table", [np.zeros((200, 1)), np.arange(200.0)[:, None]])
def test_too_little_to_learn_from_gives_nothing(table):
    assert cross_fit(table, Y if table.any() == 0 else np.zeros(200, int), ALONE) is None


def test_a_category_of_many_values_is_learnt_and_an_id_is_not():
    labels = np.arange(600) // 10 % 2
    folds = divide(labels.astype(str), np.arange(600))
    for codes, expected in ((np.arange(600) // 10, 1.0), (np.arange(600), 0.5)):
        assert cross_fit_codes(codes, labels.astype(str), np.arange(600), folds).roc_auc == pytest.approx(
            expected, abs=0.01
        )
