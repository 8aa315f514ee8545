"""Lists of values become combinations, and the choice among them reads the right folds."""

import numpy as np
import pytest

from pipeline.training import tuning
from pipeline.training.candidate import Tuned
from pipeline.training.cross_fit import plan


@pytest.mark.parametrize(("n_combinations", "n_folds", "fits"), [(1, 5, 6), (2, 5, 31), (3, 5, 46), (1, 2, 3)])
def test_the_number_of_fits_counts_each_pair_of_folds_once(n_combinations, n_folds, fits):
    assert len(plan(n_combinations, 1, n_folds)) + 1 == fits
    assert len(plan(n_combinations, 2, n_folds)) == 2 * (fits - 1)


def test_other_folds_choose_for_a_fold_all_for_the_model():
    losses = np.ones((2, 1, 3, 3))
    losses[1, 0, 0, 1] = 0.5  # without folds 0 and 1, fold 1 is predicted better by the second: what fold 0 goes by
    losses[1, 0, 0, 0] = losses[1, 0, 2, 2] = 2.0  # what only the last model goes by
    by_fold, on_all = tuning.choose_combinations(losses)
    assert by_fold.tolist() == [[1, 0, 0]]
    assert on_all == 0


def test_each_repeat_chooses_for_itself_all_for_the_model():
    losses = np.ones((2, 2, 3, 3))
    losses[1, 1] = 0.5
    by_fold, on_all = tuning.choose_combinations(losses)
    assert by_fold.tolist() == [[0, 0, 0], [1, 1, 1]]
    assert on_all == 1


def test_the_description_holds_the_listed_keys_alone():
    fitted = tuning.describe_choice({"C": [1, 2], "class_weight": None}, np.array([[1, 0]]), 1, np.array([0.5, 0.4]))
    assert fitted == Tuned(
        chosen={"C": 2}, by_fold=[{"C": 2}, {"C": 1}], tried=[{"C": 1, "log_loss": 0.5}, {"C": 2, "log_loss": 0.4}]
    )
