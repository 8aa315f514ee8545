"""Comparisons on disk."""

import math

from pipeline.core import artifacts
from pipeline.data.audit_result import Shortcut
from pipeline.retraining.records import Comparison, Drift, SubgroupChange
from tests.helpers.comparisons import change, make_comparison, make_profile


def test_a_comparison_survives_its_file(tmp_path):
    groups = [SubgroupChange("sex", "male", 5, True, {"accuracy": change(0.1)})]
    before = make_comparison(
        subgroups=groups, cautions=["Worse."], batch=make_profile(shortcuts=[Shortcut("width", 0.9, 0.5, 0.95)])
    )
    artifacts.write_json(tmp_path / "comparison.json", before)
    content = artifacts.read_json(tmp_path / "comparison.json")
    # As before the types.
    assert content["batch"]["told_by"] == [{"name": "width", "accuracy": 0.9, "majority": 0.5, "roc_auc": 0.95}]
    assert artifacts.from_json(Comparison, content) == before


def test_an_undefined_figure_is_null_on_disk(tmp_path):
    nan = float("nan")
    before = make_comparison(metrics={"roc_auc": change(nan, nan, nan)}, batch=make_profile(drift=Drift(0, None)))
    artifacts.write_json(tmp_path / "comparison.json", before)
    after = artifacts.from_json(Comparison, artifacts.read_json(tmp_path / "comparison.json"))
    assert not after.metrics["roc_auc"].is_defined
    assert after.batch.drift.farther is None
    assert math.isnan(after.batch.drift.ci[0])
