"""A gain beyond the learning curve is a finding; a plausible one, or a task without a curve, is none."""

import pytest

from pipeline.core import artifacts
from pipeline.core.paths import TaskPaths
from pipeline.evaluation.usefulness.learning_curve import LearningCurve, Step
from pipeline.retraining.plausible_gain import finding, most
from pipeline.retraining.recommendation import of_tries
from pipeline.retraining.records import Change
from pipeline.stats.extrapolation import Gain

DOUBLED = Gain(0.01, [-0.01, 0.03])


@pytest.fixture
def curve(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    steps = [Step(80, 0.8, 0.5, {"roc_auc": [0.7, 0.9]})]
    artifacts.write_json(TaskPaths("t").learning_curve, LearningCurve("line", steps, {"roc_auc": DOUBLED}))


def gain(low, high):
    return Change(0.8, 0.8 + (low + high) / 2, (low + high) / 2, (low, high))


def test_twice_the_data_may_bring_the_upper_end():
    assert most(DOUBLED, 100, 100) == pytest.approx(0.03)
    assert most(DOUBLED, 100, 1) < 0.001
    assert most(Gain(-0.02, [-0.04, -0.01]), 100, 50) == 0


def test_gain_beyond_the_curve_is_a_finding(curve):
    text = finding("t", "line", gain(0.1, 0.2), 100, 30)
    assert text.startswith(
        "Do not promote: the gain is too good. ROC AUC rises by 0.150 [0.100, 0.200] with 30 more samples"
    )
    assert "copies" in text


@pytest.mark.parametrize(("low", "high"), [(-0.01, 0.02), (0.005, 0.3), (-0.3, -0.1)])
def test_plausible_gain_is_no_finding(curve, low, high):
    assert finding("t", "line", gain(low, high), 100, 30) == ""


def test_curve_of_another_model_says_nothing(curve):
    assert finding("t", "near", gain(0.1, 0.2), 100, 30) == ""
    assert finding("other", "line", gain(0.1, 0.2), 100, 30) == ""


def test_second_try_on_a_champion_is_counted_in_words():
    assert of_tries(1) == []
    assert of_tries(3)[0].startswith("This is comparison 3 with this champion")
