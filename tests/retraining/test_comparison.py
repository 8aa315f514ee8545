"""The gate and the paired comparison, on made-up development sets."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.core.errors import DataError
from pipeline.core.params_models import RetrainParams
from pipeline.retraining import comparison, recommendation
from pipeline.retraining.comparison import Side
from pipeline.retraining.records import Change
from tests.helpers.models import dataset, numbers

RULE = RetrainParams()


def side(quality: float, n: int = 300, seed: int = 1, more: int = 0) -> Side:
    """Return a made-up model on n development samples, and `more` that the other side does not have."""
    X, y = numbers(n + more)
    dev = dataset(X, y)
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-(quality * (2 * y - 1) + rng.normal(size=n + more))))
    proba = np.column_stack([1 - p, p])
    return Side("m", "b", dev, proba, proba, (p >= 0.5).astype(int))


def result_of(champion: Side, challenger: Side, rule: RetrainParams = RULE) -> tuple[list[str], str, dict[str, Change]]:
    """Return the failed metrics, the sentence and the differences."""
    overall, _ = comparison.differences(champion, challenger.on(champion.dev), 300, 7)
    failed = comparison.gate(overall, ["roc_auc", "balanced_accuracy"], rule.margin)
    return failed, recommendation.recommendation(overall, "roc_auc", failed, len(champion.dev.y), rule), overall


def test_a_better_model_passes_and_is_called_better():
    failed, sentence, overall = result_of(side(0.8), side(2.0, more=40))
    assert failed == []
    assert sentence.startswith("Promote: the challenger is better on the champion's 300 development samples: roc_auc ")
    assert overall["roc_auc"].difference > 0.05


def test_an_equal_model_passes_with_differences_of_zero():
    failed, sentence, overall = result_of(side(1.0), side(1.0))
    assert failed == []
    assert "the challenger is not worse by more than 0.02" in sentence
    assert all(change.difference == 0 and change.ci == (0, 0) for change in overall.values())


def test_a_worse_or_uncertain_model_does_not_pass():
    failed, sentence, _ = result_of(side(2.0), side(0.8))
    assert failed == ["roc_auc", "balanced_accuracy"]
    assert sentence.startswith("Do not promote: the challenger may be worse by more than 0.02 on the champion's 300")
    assert result_of(side(1.0, 40), side(1.0, 40, seed=2))[0]  # as good, but of 40 samples nobody can tell


def test_a_higher_loss_is_worse():
    change = Change(0.8, 0.8, 0.0, (0.0, 0.05))
    overall = {"brier_score_loss": change, "roc_auc": change}
    assert comparison.gate(overall, list(overall), 0.02) == ["brier_score_loss"]
    assert comparison.gate({"roc_auc": replace(change, ci=(np.nan, np.nan))}, ["roc_auc"], 0.02) == ["roc_auc"]


def test_only_the_champions_samples_count_in_any_order():
    champion, challenger = side(1.0), side(1.5, more=100)
    order = np.random.default_rng(0).permutation(400)
    dev = challenger.dev
    swapped = type(dev)(
        dev.id[order], dev.path[order], dev.group[order], 1 - dev.y[order], dev.fold[order], dev.classes[::-1], {}
    )
    proba = challenger.proba[order][:, ::-1]
    other = Side("m", "b", swapped, proba, proba, 1 - challenger.decided[order])
    assert result_of(champion, other) == result_of(champion, challenger)


def test_subgroups_are_compared_on_their_own_samples():
    champion, challenger = side(1.0), side(1.5)
    values = np.where(np.arange(300) < 290, "many", "few")
    few, many = comparison.of_subgroups(champion, challenger, {"site": (values, ["few", "many"])}, 200, 7)
    assert [(row.value, row.n, row.few) for row in (few, many)] == [("few", 10, True), ("many", 290, False)]
    index = np.flatnonzero(values == "many")
    right = [(side.decided[index] == champion.dev.y[index]).mean() for side in (champion, challenger)]
    accuracy = many.metrics["accuracy"]
    assert [accuracy.champion, accuracy.challenger] == pytest.approx(right)
    assert accuracy.ci[0] <= accuracy.difference <= accuracy.ci[1]
    (alone,) = comparison.of_subgroups(champion, challenger, {"y": (champion.dev.y.astype(str), ["1"])}, 200, 7)
    assert np.isnan(alone.metrics["roc_auc"].difference)  # of one class


def test_a_challenger_that_lacks_a_champions_sample_is_refused():
    with pytest.raises(DataError, match=r"100 of the champion's development samples, the first 300\.png"):
        side(1.0).on(side(1.0, more=100).dev)
