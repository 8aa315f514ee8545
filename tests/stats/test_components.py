"""Connected components: which items pairs join."""

import numpy as np

from pipeline.stats.components import connected_components, joined_sets, pairs_of_equal


def test_components_follow_chains_and_are_numbered_by_first_item():
    assert connected_components(6, [(4, 2), (0, 4)]).tolist() == [0, 1, 0, 2, 0, 3]
    assert connected_components(6, [(5, 4), (3, 5), (2, 1)]).tolist() == [0, 1, 1, 2, 2, 2]
    assert connected_components(3, []).tolist() == [0, 1, 2]
    assert connected_components(0, []).tolist() == []


def test_components_are_those_of_a_search_over_all_pairs():
    rng = np.random.default_rng(0)
    for n_pairs in (0, 10, 40, 80):
        pairs = [tuple(pair) for pair in rng.integers(0, 60, (n_pairs, 2)).tolist()]
        label = list(range(60))
        for _ in range(60):
            for a, b in pairs:
                label[a] = label[b] = min(label[a], label[b])
        order = {first: number for number, first in enumerate(dict.fromkeys(label))}
        assert connected_components(60, pairs).tolist() == [order[first] for first in label]


def test_joined_sets_leave_out_single_items():
    assert joined_sets(7, [(4, 2), (0, 4), (6, 5)]) == [[0, 2, 4], [5, 6]]


def test_equal_values_form_chains_of_pairs():
    assert pairs_of_equal(["x", "", "y", "x", "", "x"]) == [(0, 3), (3, 5)]
