"""What a run holds, read from the results."""

import math
import subprocess
from dataclasses import replace

import pytest

from pipeline.core.errors import StageError
from pipeline.evaluation.report import OperatingPoint, PredictiveValues, Report
from pipeline.tracking import mirror, run_record
from tests.helpers.tracked import make_model


def test_missing_results_name_the_stage_that_writes_them(small):
    (small / "reports/rows/test/rows-b.json").unlink()
    with pytest.raises(StageError, match="holdout@rows"):
        mirror.track()


def test_only_models_in_the_tasks_list_are_tracked(small):
    make_model(small, "rows", "rows-old")
    assert [shown.model for shown in run_record.read_records("rows")] == ["rows-a", "rows-b"]


def test_the_content_key_covers_every_file_and_parameter(small):
    def keys():
        return [shown.key for shown in run_record.read_records("rows")]

    first = keys()
    assert len(set(first)) == 2
    for path in ("reports/rows/cv", "reports/rows/test", "models/rows/decisions"):
        file = small / path / "rows-a.json"
        before = file.read_bytes()
        file.write_bytes(before + b"\n")
        assert keys()[0] != first[0]
        file.write_bytes(before)
    text = (small / "params.yaml").read_text()
    (small / "params.yaml").write_text(text.replace("C: 1.0", "C: 2.0"))
    assert [key == old for key, old in zip(keys(), first, strict=True)] == [False, True]


def test_a_run_names_its_commit_and_local_changes(small):
    def git(*arguments):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], check=True, capture_output=True
        )

    git("init")
    assert run_record.commit() == {}
    git("add", "params.yaml")
    git("commit", "-m", "first")
    assert run_record.commit()["dirty"] == "no"  # new results do not count: the commit's parameters and code made them
    with (small / "params.yaml").open("a") as file:
        file.write("# changed\n")
    assert run_record.commit()["dirty"] == "yes"
    assert len(run_record.commit()["commit"]) == 40


def test_predictive_values_at_a_named_prevalence_are_metrics():
    named = PredictiveValues({"precision": 0.11, "negative_predictive_value": math.nan}, prevalence=0.02)
    point = OperatingPoint(0.5, "", {"data": PredictiveValues(prevalence=0.4), "named": named})
    test = Report({"roc_auc": 0.8}, operating_point=replace(point, prevalence={"data": named}))
    figures = run_record.figures_of(Report({"roc_auc": 0.9}, operating_point=point), test)
    assert figures == {"oof_roc_auc": 0.9, "oof_precision_at_prevalence": 0.11, "test_roc_auc": 0.8}
