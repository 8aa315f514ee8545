"""The learning rate of fine-tuning, and what early stopping holds out."""

import numpy as np
import pytest

from pipeline.core.errors import DataError
from pipeline.estimators import _network
from pipeline.estimators._fine_tuning import learning_rate, stopping_part
from tests.helpers.models import KERAS_NOISE

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)


def test_the_learning_rate_rises_for_an_epoch_then_falls():
    rate = learning_rate(_network.import_keras(), 3e-4, epochs=3, steps=10)
    rates = np.array([float(rate(step)) for step in range(31)])
    assert rates[[0, 5, 10, 30]] == pytest.approx([0, 1.5e-4, 3e-4, 0], abs=1e-9)
    assert (np.diff(rates[:11]) > 0).all()
    assert (np.diff(rates[10:]) < 0).all()


def test_a_single_epoch_starts_at_the_highest_rate():
    rate = learning_rate(_network.import_keras(), 3e-4, epochs=1, steps=10)
    assert [float(rate(step)) for step in (0, 10)] == pytest.approx([3e-4, 0], abs=1e-9)


@pytest.mark.parametrize("fraction", [0.15, 0.25, 0.4])
def test_early_stopping_holds_out_whole_groups_of_every_class(fraction):
    groups = np.repeat(np.arange(60), np.arange(60) % 5 + 1).astype(str)
    y = groups.astype(int) % 3 // 2
    part = stopping_part(y, groups, fraction, 7)
    assert not set(groups[part]) & set(groups[~part])
    assert set(y[part]) == set(y[~part]) == {0, 1}
    assert part.mean() == pytest.approx(fraction, abs=0.12)
    assert (stopping_part(y, groups, fraction, 7) == part).all()
    assert (stopping_part(y, groups, fraction, 8) != part).any()


def test_early_stopping_needs_two_groups_of_each_class():
    y, groups = np.array([0, 0, 0, 1, 1]), np.array(["a", "b", "c", "d", "d"])
    with pytest.raises(DataError, match="early stopping needs two groups of each class"):
        stopping_part(y, groups, 0.15, 7)
