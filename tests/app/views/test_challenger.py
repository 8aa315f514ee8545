"""A comparison is listed metric by metric, and a batch class by class."""

from app.views import challenger
from pipeline.retraining import recommendation
from pipeline.retraining.records import SubgroupChange
from tests.helpers.comparisons import change, make_comparison, make_profile


def test_guarded_metrics_come_first_classes_and_subgroups_are_folded():
    subgroup = SubgroupChange("sex", "f", 12, True, {"accuracy": change(0.1), "f1": change()})
    comparison = make_comparison(subgroups=[subgroup])
    assert challenger.guarded_rows(comparison)[0][0] == "ROC AUC"
    names = [name for name, _ in challenger.other_rows(comparison)]
    assert names[-1] == "sex f (12, few): Accuracy"
    assert "a: F1" in names
    assert "sex f (12, few): F1" not in names


def test_undefined_differences_have_no_interval():
    assert challenger.gain(change(float("nan"))) == "not defined"
    assert challenger.gain(change(0.03, 0.01, 0.05)) == recommendation.gain(change(0.03, 0.01, 0.05))


def test_classes_are_counted_with_their_share():
    batch = make_profile()
    share = recommendation.shares(batch.development)
    assert challenger.counts(batch, share, "a", "before") == "40 (40%)"
    assert challenger.counts(batch, share, "b", "with_it") == "66 (60%)"
