"""What more data would bring is said with its interval."""

import pytest

from pipeline.evaluation.usefulness.learning_curve import LearningCurve, Step, in_words
from pipeline.stats.extrapolation import Gain

STEPS = [Step(n, 0.8, 0.4, {}) for n in (25, 50, 100)]


@pytest.mark.parametrize(
    ("ci", "verdict"), [((0.01, 0.03), "more data are worth collecting"), ((-0.01, 0.03), "cannot be told from these")]
)
def test_more_data_are_worth_it_where_the_interval_excludes_0(ci, verdict):
    sentence = in_words(LearningCurve("line", STEPS, {"roc_auc": Gain(0.02, ci)}))
    assert f"+0.020 [{ci[0]:+.3f}, {ci[1]:+.3f}]" in sentence
    assert verdict in sentence
    assert "25, 50, 100 samples" in sentence


def test_a_missing_curve_has_its_reason():
    assert in_words(LearningCurve("floor", reason="it learns nothing")) == "No learning curve: it learns nothing."
