"""Reports are read as they were written: what has no field of its own is a figure."""

import math

from pipeline.core import artifacts
from pipeline.evaluation.report import ClassScores, Counts, Report, Scores


def test_a_report_is_read_as_it_was_written():
    report = Report({"roc_auc": 0.9, "f1": math.inf}, {"roc_auc": [0.8, 1.0]}, {"recall": [3, 4]}, Counts(4, 2))
    again = artifacts.from_json(Report, artifacts.rounded(report))
    assert again["roc_auc"] == 0.9
    assert (again.ci, again.cases, again.counts) == (report.ci, report.cases, report.counts)
    assert again.calibration is None


def test_parts_that_are_missing_leave_no_key():
    content = artifacts.rounded(Report({"roc_auc": 0.5}, per_class={"a": ClassScores({"f1": 0.5}, support=2)}))
    assert "operating_point" not in content
    assert content["per_class"]["a"]["f1"] == 0.5
    assert Scores({"f1": 0.5})["f1"] == 0.5
