"""Counts of what was shown: the same one by one as out of fold, whole after a trip through JSON, and of nobody."""

import json

import numpy as np
import pytest

from pipeline.monitoring import histograms
from pipeline.monitoring.histograms import Tally
from pipeline.prediction.answer import OodScore

CLASSES = {2: ["benign", "malignant"], 3: ["a", "b", "c"]}


def item(answer, *proba, classes=None, reason=""):
    names = classes or CLASSES[len(proba) or 2]
    shown = dict(zip(names, proba, strict=True)) if answer else {}
    return {"file": "Mrs Smith.png", "class": answer, "probabilities": shown, "refused": not answer, "reason": reason}


def drawn(n_classes, n=300, k=5, seed=0):
    """Return decided, proba, distances, places and refused of n samples."""
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.ones(n_classes), n)
    distance = rng.gamma(10, 0.06, n)
    places = np.where(rng.random((n, k)) < 0.1, np.nan, 2 * rng.normal(size=(n, k)))
    return proba.argmax(axis=1), proba, distance, places, distance > 1


@pytest.mark.parametrize("n_classes", [2, 3])
def test_counting_one_by_one_equals_the_expected_counts(n_classes):
    decided, proba, distance, places, refused = drawn(n_classes)
    result = Tally()
    for row in range(len(decided)):
        answer = "" if refused[row] else CLASSES[n_classes][decided[row]]
        result.add(item(answer, *proba[row]), OodScore(distance=distance[row], components=places[row]), 0.01)
    expected = histograms.count_predictions(CLASSES[n_classes], decided, proba, distance, places, refused)
    assert result.n == expected.n == 300
    assert result.seconds.sum() == 300
    expected.seconds += result.seconds
    assert result.to_json() == expected.to_json()


def test_each_sample_is_counted_once_in_its_bins():
    result = Tally()
    result.add(item("malignant", 0.04, 0.96), OodScore(distance=0.52, components=np.array([-0.1, 3.9])), 0.0071)
    result.add(item(""), OodScore(distance=7.0, components=np.array([-9.0, 4.0])), 0.01)
    result.add(item("", reason="not a readable image"), None, 40)
    assert (result.n, result.answers, result.refused, result.unreadable) == (2, {"malignant": 1}, 1, 1)
    assert np.flatnonzero(result.distance).tolist() == [10, 60]
    assert np.flatnonzero(result.probability).tolist() == [19]
    assert np.argwhere(result.components).tolist() == [[0, 0], [0, 16], [1, 32], [1, 33]]
    assert np.flatnonzero(result.seconds).tolist() == [2, 11]  # 0.01 s is within 0.01 s


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_the_ends_of_probability_and_distance_have_a_bin(value):
    result = Tally()
    result.add(
        item("malignant", 1 - value, value),
        OodScore(distance=float("inf"), components=np.array([np.inf, -np.inf, 1e300])),
        0,
    )
    assert result.probability.sum() == result.distance[-1] == 1
    assert result.components.sum() == 3


def test_without_refusal_an_answer_has_no_components():
    result = Tally()
    result.add(item("benign", 0.9, 0.1), None, 0.01)
    assert (result.n, result.unreadable, result.distance.sum(), result.components.size) == (1, 0, 0, 0)


def test_counts_add_up_also_with_those_of_nothing():
    decided, proba, distance, places, refused = drawn(2)
    whole = histograms.count_predictions(CLASSES[2], decided, proba, distance, places, refused)
    parts = [
        histograms.count_predictions(
            CLASSES[2], decided[index], proba[index], distance[index], places[index], refused[index]
        )
        for index in (slice(0, 100), slice(100, 300))
    ]
    assert sum(parts, Tally()).to_json() == whole.to_json()
    assert (parts[0] + Tally()).to_json() == parts[0].to_json()


def test_counts_survive_json_which_holds_no_identity():
    result = Tally()
    result.add(item("malignant", 0.04, 0.96), OodScore(distance=0.52, components=np.array([-0.1, 3.9])), 0.0071)
    text = json.dumps(result.to_json())
    assert Tally.from_json(json.loads(text)).to_json() == result.to_json()
    assert "Smith" not in text
    assert "0.96" not in text


def test_new_categories_are_counted_by_column():
    first, other = Tally(), Tally()
    for columns in (("sex",), ("sex", "site")):
        first.add(item("malignant", 0.04, 0.96), OodScore("new", new_categories=columns), 0.01)
    other.add(item("", reason="far"), OodScore("far", True, new_categories=("site",)), 0.01)
    assert (first + other).new_categories == {"sex": 2, "site": 2}
    assert Tally.from_json(json.loads(json.dumps(first.to_json()))).new_categories == {"sex": 2, "site": 1}
    assert "new_categories" not in Tally().to_json()


@pytest.mark.parametrize(
    "change",
    [
        {"new_categories": {"sex": "2"}},
        {"distance": [1, 2]},
        {"more": 1},
        {"refused": "1"},
        {"answers": [1]},
        {"places": [[1]]},
        {"probability": None},
    ],
)
def test_counts_of_other_bins_are_no_counts(change):
    with pytest.raises(ValueError, match="counts"):
        Tally.from_json(Tally().to_json() | change)


def test_a_quantile_of_latency_is_the_end_of_its_bin():
    result = Tally()
    assert histograms.quantile(result.seconds, 0.95) is None
    result.seconds[3], result.seconds[5] = 96, 4
    assert histograms.quantile(result.seconds, 0.95) == 0.02
    result.seconds[-1] = 100
    assert histograms.quantile(result.seconds, 0.95) == float("inf")


def test_samples_of_known_groups_count_as_groups():
    result = Tally()
    for in_group in (0, 1, 2, 0, 0, 1):  # of three, one and two samples
        result.add(item("benign", 0.9, 0.1), OodScore(), 0.01, in_group)
    assert (result.n, result.grouped, result.squares) == (6, 6, 9 + 1 + 4)
    assert result.independent(1.0) * 6 == pytest.approx(36 / 14)
    for _ in range(4):
        result.add(item("benign", 0.9, 0.1), OodScore(), 0.01)
    assert result.independent(2.0) * 10 == pytest.approx(36 / 14 + 4 / 2)
    assert Tally.from_json(json.loads(json.dumps(result.to_json()))).to_json() == result.to_json()
    assert (result + result).squares == 28
    assert Tally().independent(3.0) == 1.0
    assert not {"grouped", "squares"} & set(Tally().to_json())


def test_a_design_effect_is_that_of_groups():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(400), 5)
    alike, apart = rng.normal(size=400)[groups], rng.normal(size=2000)
    assert histograms.design_effect(alike, groups) == pytest.approx(5, rel=0.02)
    assert histograms.design_effect(apart, groups) == pytest.approx(1, abs=0.2)
    half = histograms.design_effect(alike + apart, groups)
    assert half == pytest.approx(1 + 4 / 2, rel=0.15)
    assert histograms.design_effect(np.zeros(6), np.array([0, 0, 0, 1, 1, 2])) == pytest.approx(14 / 6)
