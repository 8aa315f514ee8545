"""Batches of frozen maps, drawn anew for each epoch."""

import numpy as np
import pytest

from tests.helpers.models import KERAS_NOISE

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)


def batches_of(*args):
    from pipeline.estimators._keras_classes import Batches

    return Batches(*args)


def numbered_maps(n, n_views=4):
    """Return maps of which each number tells the row and the view."""
    numbers = np.arange(n)[:, None] * 10 + np.arange(n_views)
    return np.broadcast_to(numbers[..., None, None, None], (n, n_views, 2, 2, 3)).astype(np.float16)


@pytest.mark.parametrize("seed", [None, 7])
def test_batches_pair_every_image_with_its_label_and_weight(seed):
    rows = np.arange(30, 10, -1)
    y, weight = rows % 3, rows / 20
    batches = batches_of(numbered_maps(31), rows, y, weight, 8, seed)
    assert len(batches) == 3
    seen, shown = [], set()
    for maps, labels, weights in (batches[index] for index in range(3)):
        assert maps.dtype == np.float32
        of_row, view = np.divmod(maps[:, 0, 0, 0].astype(int), 10)
        np.testing.assert_array_equal(labels, of_row % 3)
        np.testing.assert_array_equal(weights, of_row / 20)
        seen += of_row.tolist()
        shown |= set(view.tolist())
    assert seen == rows.tolist() if seed is None else sorted(seen) == sorted(rows)
    assert shown == ({0} if seed is None else {0, 1, 2, 3})


def test_seed_and_epoch_alone_decide_order_and_views():
    def batches(epoch):
        maps = numbered_maps(40)
        return batches_of(maps, np.arange(40), np.arange(40), np.ones(40), 8, 7, epoch)

    first, same, later = batches(0), batches(0), batches(1)
    np.testing.assert_array_equal(first[0][0], same[0][0])
    assert not np.array_equal(first[0][1], later[0][1])
    first.on_epoch_end()
    np.testing.assert_array_equal(first[0][0], later[0][0])
