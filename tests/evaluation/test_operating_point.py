"""The threshold does what it was chosen for, on data it has not seen too, and says what its answers are worth elsewhere."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.core import artifacts
from pipeline.core.errors import ParamsError
from pipeline.core.params import parse
from pipeline.core.params_models import OperatingPointParams, TaskParams
from pipeline.evaluation.operating_point import (
    check_classes,
    choose,
    conformal_share,
    decide_out_of_fold,
    describe,
    notes_on_choice,
    predictive_values,
    sweep,
)
from pipeline.evaluation.report import Report
from pipeline.evaluation.scoring import assess
from pipeline.prediction.decision_rule import DecisionRule, decide
from pipeline.stats import combined
from tests.helpers.models import dataset, numbers

pytestmark = pytest.mark.filterwarnings("error")


def simulated(n=400, seed=0, share=0.4):
    """Return samples in pairs of one class with a common part of luck, and calibrated probabilities (n, 2)."""
    rng = np.random.default_rng(seed)
    y = np.repeat((rng.random(n // 2) < share).astype(int), 2)
    score = 2 * y - 1 + 0.7 * np.repeat(rng.normal(size=n // 2), 2) + 0.7 * rng.normal(size=n)
    p = 1 / (1 + (1 - share) / share * np.exp(-2 * score))
    return dataset(np.zeros((n, 1), np.float32), y, np.arange(n) // 2, folds=0), np.column_stack([1 - p, p])


def rates(y, decided):
    return (decided[y == 1] == 1).mean(), (decided[y == 0] == 0).mean()


def point(**given):
    return parse(OperatingPointParams, given, "tasks.t.select.operating_point")


def test_where_nothing_is_asked_for_it_is_a_half():
    dev, proba = simulated()
    assert choose(dev, proba, point()) == DecisionRule()
    assert choose(dev, proba, point(prevalence=0.02)).threshold == 0.5


@pytest.mark.parametrize("target", [0.5, 0.9, 0.99])
def test_threshold_meets_the_target_tightly(target):
    dev, proba = simulated()
    rule = choose(dev, proba, point(target_sensitivity=target))
    assert rates(dev.y, decide(proba, rule))[0] >= target
    assert rule.chosen_for == f"a sensitivity of at least {target}"
    higher = DecisionRule(proba[proba[:, 1] >= rule.threshold, 1].min() + 1e-5)
    needed = conformal_share(target, int((dev.y == 1).sum()))
    assert rates(dev.y, decide(proba, higher))[0] < needed or (dev.y[proba[:, 1] < higher.threshold] == 0).any()
    rule = choose(dev, proba, point(target_specificity=target))
    assert rates(dev.y, decide(proba, rule))[1] >= target
    lower = DecisionRule(proba[proba[:, 1] < rule.threshold, 1].max())
    assert rates(dev.y, decide(proba, lower))[1] < conformal_share(target, int((dev.y == 0).sum()))


@pytest.mark.parametrize("hits", range(1, 50))
def test_a_target_that_is_met_to_the_sample_is_met(hits):
    y, p = np.repeat([1, 0], 50), np.tile(np.arange(1, 51) / 100, 2)
    dev = dataset(np.zeros((100, 1), np.float32), y, np.arange(100), folds=0)
    rule = choose(dev, np.column_stack([1 - p, p]), point(target_sensitivity=hits / 51))
    assert (p[y == 1] >= rule.threshold).sum() == hits
    rule = choose(dev, np.column_stack([1 - p, p]), point(target_specificity=hits / 51))
    assert (p[y == 0] < rule.threshold).sum() == hits


def test_next_positive_is_found_with_the_target_probability():
    """Scores of n positives and of one more are exchangeable: of 4,000 draws the rank decides, whatever their distribution."""
    rng = np.random.default_rng(0)
    for n, target in ((20, 0.9), (35, 0.8)):
        scores = -np.sort(-rng.exponential(size=(4000, n)), axis=1)
        last = scores[:, round(conformal_share(target, n) * n) - 1]
        result = (rng.exponential(size=4000) >= last).mean()
        assert target - 0.015 < result < target + 1 / (n + 1) + 0.015
    assert conformal_share(0.9, 5) == 1


def test_samples_are_decided_by_thresholds_chosen_without_them():
    dev, proba = simulated(240)
    dev = replace(dev, fold=np.arange(240) // 2 % 5)
    asked = point(target_sensitivity=0.8)
    decided = decide_out_of_fold(dev, proba, choose(dev, proba, asked), asked)
    for fold in range(5):
        rows = np.flatnonzero(dev.fold != fold)
        own = choose(dev.rows(rows), proba[rows], asked)
        assert (decided[dev.fold == fold] == decide(proba[dev.fold == fold], own)).all()
    rule = DecisionRule(0.3)
    assert (decide_out_of_fold(dev, proba, rule, point()) == decide(proba, rule)).all()


def test_few_samples_of_the_target_class_are_noted():
    dev, proba = simulated(80)
    asked = point(target_specificity=0.9)
    notes = notes_on_choice(dev, choose(dev, proba, asked), asked)
    n = (dev.y == 0).sum()
    assert len(notes) == 1 + (n < 50)
    asked = point(target_sensitivity=0.9)
    notes = notes_on_choice(dev, choose(dev, proba, asked), asked)
    assert notes[1].startswith(f"a sensitivity of at least 0.9 was aimed at with {(dev.y == 1).sum()} samples of ")
    assert notes_on_choice(dev, DecisionRule(), point()) == []


def test_no_other_threshold_is_cheaper_and_dear_misses_lower_it():
    dev, proba = simulated()

    def price(threshold, miss, alarm):
        decided = decide(proba, DecisionRule(threshold))
        return miss * ((dev.y == 1) & (decided == 0)).sum() + alarm * ((dev.y == 0) & (decided == 1)).sum()

    figures = []
    for miss, alarm in ((1.0, 1.0), (5.0, 1.0), (1.0, 20.0)):
        rule = choose(dev, proba, point(costs={"false_negative": miss, "false_positive": alarm}))
        cheapest = min(price(threshold, miss, alarm) for threshold in [*np.unique(proba[:, 1]), 1.1])
        assert price(rule.threshold, miss, alarm) == cheapest
        assert rule.threshold == pytest.approx(alarm / (alarm + miss), abs=0.12)
        figures.append(rule.threshold)
    assert figures[1] < figures[0] < figures[2]
    costs = {"false_negative": 5, "false_positive": 1}
    assert choose(dev, proba, point(costs=costs)).chosen_for == ("costs of 5 a false negative and 1 a false positive")


def test_targets_hold_on_unseen_data():
    """Of 40 pairs of a data set to choose on and one held out; a 95 % interval and the noise of the choice together."""
    inside = {"target_sensitivity": 0, "target_specificity": 0}
    for name in inside:
        for seed in range(40):
            rule = choose(*simulated(1200, seed=seed), point(**{name: 0.9}))
            held_out, proba = simulated(300, seed=1000 + seed)
            ci = assess(held_out, proba, decide(proba, rule), 100, 7).ci
            low, high = ci["recall" if name == "target_sensitivity" else "specificity"]
            inside[name] += low <= 0.9 <= high
    assert min(inside.values()) >= 35, inside


def test_what_is_written_decides_as_what_was_counted():
    dev, proba = simulated()
    for target in (0.8, 0.95):
        rule = choose(dev, proba, point(target_sensitivity=target))
        assert artifacts.rounded(rule.threshold) == rule.threshold


def test_sweep_counts_match_decisions_at_every_threshold():
    y, p = np.array([0, 1, 0, 1, 1, 0]), np.array([0, 0.2, 0.2, 1.0, 0.7, 1.0])
    for threshold, sensitivity, specificity in zip(*sweep(y, p), strict=True):
        decided = decide(np.column_stack([1 - p, p]), DecisionRule(threshold))
        assert rates(y, decided) == (pytest.approx(sensitivity), pytest.approx(specificity))


def test_unreachable_specificity_gives_the_nearest():
    y, p = np.array([0, 1, 0, 1]), np.array([1.0, 1.0, 1.0, 1.0])
    dev = dataset(np.zeros((4, 1), np.float32), y, folds=0)
    assert choose(dev, np.column_stack([1 - p, p]), point(target_specificity=0.9)).threshold == 1


# What answers are worth


def test_predictive_values_are_those_of_altman_and_bland_1994():
    """Liver scans: 231 of 258 abnormal and 54 of 86 normal ones are right; PPV 0.88, NPV 0.67; of 25 % ill 0.45 and 0.95."""
    assert combined.predictive_values(231 / 258, 54 / 86, 258 / 344) == (
        pytest.approx(0.88, abs=0.005),
        pytest.approx(0.67, abs=0.005),
    )
    assert combined.predictive_values(231 / 258, 54 / 86, 0.25) == pytest.approx((0.45, 0.95), abs=0.01)
    # Nobody is called positive.
    assert combined.predictive_values(0, 1, 0.3) == pytest.approx((np.nan, 0.7), nan_ok=True)
    assert combined.predictive_values(1, 0, 0.3) == pytest.approx((0.3, np.nan), nan_ok=True)


def test_predictive_values_match_counts_at_own_prevalence():
    data, proba = simulated()
    report = assess(data, proba, decide(proba, DecisionRule()), 100, 7)
    point = describe(report, DecisionRule(), 0.02)
    own, named = point.prevalence["data"], point.prevalence["named"]
    assert own.prevalence == pytest.approx(data.y.mean())
    for name in ("precision", "negative_predictive_value"):
        assert own[name] == pytest.approx(report[name])
        for values in (own, named):
            low, high = values.ci[name]
            assert low < values[name] < high
    assert named.prevalence == 0.02
    assert named["precision"] < 0.5 * own["precision"]
    assert named["negative_predictive_value"] > own["negative_predictive_value"]


def test_without_an_error_the_interval_is_not_a_point():
    ci = {"recall": [1.0, 1.0], "specificity": [0.9, 1.0]}
    values = predictive_values(Report({"recall": 1.0, "specificity": 1.0}, ci), 0.1)
    assert (values["precision"], values["negative_predictive_value"]) == (1, 1)
    assert values.ci["precision"] == [pytest.approx(0.1 / (0.1 + 0.09)), 1]


# Parameters


@pytest.mark.parametrize("given", [{"target_sensitivity": 0.9}, {"prevalence": 0.1}])
def test_more_than_two_classes_have_no_operating_point(given):
    message = r"params\.yaml: tasks\.t\.select\.operating_point: 3 classes have no sensitivity or prevalence; .*leave"
    with pytest.raises(ParamsError, match=message):
        check_classes(list("abc"), point(**given), "t")
    check_classes(list("abc"), point(), "t")
    check_classes(list("ab"), point(**given), "t")
    dev, proba = dataset(*numbers(40, 4), folds=0), np.full((40, 4), 0.25)
    assert choose(dev, proba, point()).threshold == 0.5


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"target_sensitivity": 0.9, "target_specificity": 0.9},
            "target_sensitivity and target_specificity would each",
        ),
        (
            {"target_sensitivity": 0.9, "costs": {"false_negative": 5, "false_positive": 1}},
            "and costs would each choose a",
        ),
        ({"target_sensitivity": 1.0}, r"target_sensitivity: found 1\.0; input should be less than 1"),
        ({"target_specificity": 0}, "target_specificity: found 0; input should be greater than 0"),
        ({"prevalence": 2}, "prevalence: found 2; input should be less than 1"),
        ({"costs": {"false_negative": 5}}, "costs.false_positive: is missing"),
        (
            {"costs": {"false_negative": -1, "false_positive": 1}},
            "false_negative: found -1; input should be greater than 0",
        ),
        ({"sensitivity": 0.9}, "sensitivity: unknown key"),
        ({"target_sensitivity": "90 %"}, "target_sensitivity: found '90 %'; input should be a valid number"),
    ],
)
def test_what_cannot_be_chosen_for_is_said_with_its_key(given, message):
    block = {"kind": "table", "raw": "r", "read": {}, "audit": {}, "split": {}, "preprocess": {}, "models": []}
    with pytest.raises(ParamsError, match=rf"params\.yaml: tasks\.t\.select\.operating_point.*{message}"):
        parse(TaskParams, block | {"select": {"operating_point": given}}, "tasks.t")
