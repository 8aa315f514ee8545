"""Wrong decisions are ranked by the probability of the wrong class."""

import numpy as np

from pipeline.evaluation import mistakes
from tests.helpers.models import dataset, mixed


def test_the_most_confident_mistake_comes_first():
    data = dataset(*mixed(40, 2))
    share = np.random.default_rng(0).uniform(size=40)
    proba = np.column_stack([share, 1 - share])
    decided = 1 - data.y
    table = mistakes.table(data, proba, decided)
    assert len(table) == 40
    assert table["probability"].is_monotonic_decreasing
    assert (table["label"] != table["decided"]).all()
    assert mistakes.table(data, proba, data.y).empty
