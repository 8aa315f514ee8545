"""The rule that chooses a model, and what the choice adds to the figure of the one that is chosen."""

import numpy as np
import pytest

from pipeline.stats.choice import choose, cost_of_choice

NONE = np.zeros((3, 3))


@pytest.mark.parametrize(
    ("figures", "losses", "reach", "expected"),
    [
        ([0.7, 0.9, 0.8], [0.1, 0.9, 0.2], 0.0, 1),
        ([0.895, 0.9, 0.8], [0.3, 0.4, 0.1], 0.0, 0),
        ([0.9, 0.895, 0.8], [0.31, 0.3, 0.1], 0.0, 1),
        ([0.9, 0.895, 0.8], [0.31, 0.3, 0.1], 0.02, 0),
        ([0.89, 0.9, 0.9], [0.3, 0.3, 0.3], 0.0, 0),
        ([np.nan, 0.9, 0.5], [0.1, 0.3, 0.2], 0.5, 1),
    ],
    ids=["figure", "log loss", "later log loss", "simpler", "all equal", "undefined"],
)
def test_the_rule_of_choice(figures, losses, reach, expected):
    assert choose(np.array(figures), np.array(losses), NONE + reach) == expected


def test_each_draw_is_chosen_by_itself():
    figures = np.random.default_rng(0).uniform(0.5, 0.6, (50, 3))
    losses = np.random.default_rng(1).uniform(0.5, 0.6, (50, 3))
    one_by_one = [choose(*pair, NONE + 0.01) for pair in zip(figures, losses, strict=True)]
    assert choose(figures, losses, NONE + 0.01).tolist() == one_by_one


def test_choice_of_the_same_model_costs_nothing():
    left_out = np.random.default_rng(0).uniform(size=(100, 3))
    assert cost_of_choice(np.full(100, 2), left_out, 2) == 0


def test_cost_is_the_mean_fall_where_defined():
    left_out = np.array([[0.5, 0.7], [np.nan, 0.7], [0.6, 0.7]])
    assert cost_of_choice(np.array([0, 0, 1]), left_out, 1) == pytest.approx(0.1)


def test_best_of_five_guessing_models_returns_to_chance():
    """Each AUC spreads by .05 around .5: the best of five is some .06 above, and the cost takes most of it off."""
    rng, corrected = np.random.default_rng(0), []
    for _ in range(200):
        figure = 0.5 + 0.05 * rng.normal(size=5)
        luck = 0.05 * rng.normal(size=(300, 5))
        # of n samples .632 n different ones are drawn: what these are above, the others are below
        drawn, left_out = figure + luck, figure - 1.7 * luck + 0.02 * rng.normal(size=(300, 5))
        chosen = drawn.argmax(axis=1)
        corrected.append(figure.max() - cost_of_choice(chosen, left_out, int(figure.argmax())))
    assert abs(np.mean(corrected) - 0.5) < 0.03
