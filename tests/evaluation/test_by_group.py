"""Samples that are answered together: which they are, how they are pooled, and what chooses the champion."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import leaderboard
from pipeline.core import artifacts
from pipeline.core.errors import ParamsError
from pipeline.core.params_models import SelectParams
from pipeline.data.dataset import Dataset
from pipeline.evaluation import by_group
from pipeline.evaluation.by_group_report import about_mixed, with_area_of_pairs
from pipeline.evaluation.metric_names import in_brackets
from pipeline.evaluation.new_data import held_out
from pipeline.evaluation.report import GroupReport, Report, read_cv, read_test
from pipeline.evaluation.scoring import assess
from pipeline.prediction.decision_rule import DecisionRule, calibrate
from pipeline.prediction.pooling import pool
from pipeline.tracking import run_record
from pipeline.training.export import read_oof
from tests.helpers.grouped import GROUPS, MODELS, grouped, project
from tests.helpers.models import dataset, folder_of, mixed, train_and_evaluate, write_params


@pytest.fixture(scope="module", params=["sample", "group"])
def evaluated(request, tmp_path_factory):
    with folder_of(tmp_path_factory.mktemp(request.param)) as folder:
        project(folder, unit=request.param, operating_point={"target_sensitivity": 0.8})
    return folder, request.param


@pytest.fixture
def unit(evaluated, work_in_copy):
    work_in_copy(evaluated[0])
    return evaluated[1]


def test_units_are_numbered_by_their_first_samples():
    data = dataset(*mixed(6), np.array([5, 5, 1, 1, 5, 3]), folds=0)
    data = Dataset(**{**vars(data), "y": np.array([0, 0, 1, 1, 0, 1])})
    units = by_group.find(data, [data.group], SelectParams())
    assert units.member.tolist() == [0, 0, 1, 1, 0, 2]
    assert (units.n, units.largest, units.n_mixed) == (3, 3, 0)
    assert units.data.y.tolist() == [0, 1, 1]
    assert units.data.group.tolist() == ["g0005", "g0001", "g0003"]


def test_groups_of_different_labels_count_as_asked():
    data = dataset(*mixed(6), np.array([0, 0, 1, 1, 2, 2]), folds=0)
    data = Dataset(**{**vars(data), "y": np.array([0, 0, 0, 1, 1, 1])})
    positive = by_group.find(data, [data.group], SelectParams(group_label="any positive"))
    assert (positive.data.y.tolist(), positive.n_mixed) == ([0, 1, 1], 1)
    apart = by_group.find(data, [data.group], SelectParams(group_label="per sample"))
    assert (apart.data.y.tolist(), apart.n_mixed) == ([0, 0, 1, 1], 1)
    assert apart.member.tolist() == [0, 0, 1, 2, 3, 3]


def test_any_positive_is_refused_for_more_classes():
    with pytest.raises(ParamsError, match=r"select\.group_label: any positive is for two classes; there are 3"):
        by_group.check(["a", "b", "c"], SelectParams(group_label="any positive"), "t")


def test_a_column_divides_a_group_and_joins_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params(MODELS, unit="lesion")
    X, _ = mixed(6)
    X["lesion"] = np.array(["1", "1", "2", "1", "", ""], object)
    data = dataset(X, np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 0, 1, 1, 1]), folds=0)
    assert len(set(by_group.named_values(np.array(["nan", "nan", "unknown", "unknown"]), data.id[:4]))) == 4
    units = by_group.read("t", "dev", data, SelectParams(unit="lesion"))
    assert units.member.tolist() == [0, 0, 1, 2, 3, 4]
    assert (units.name, units.data.group.tolist()) == ("lesion", ["g0000", "g0000", "g0001", "g0001", "g0001"])
    with pytest.raises(ParamsError, match=r"t\.select\.unit: there is no column 'wound'"):
        by_group.read("t", "dev", data, SelectParams(unit="wound"))


def test_texts_name_the_unit_and_no_interval_that_is_not_there():
    assert about_mixed(7, "per sample", "lesion").startswith("7 values of lesion have samples with different labels")
    assert about_mixed(1, "any positive", "group").startswith("1 group has samples")
    assert [in_brackets(ends) for ends in ([0.1, 0.25], [np.nan, np.nan])] == [" [0.100, 0.250]", ""]


def test_one_probability_for_all_ranks_no_group():
    dev = grouped(folds=0)
    units = by_group.find(dev, [dev.group], SelectParams())
    raw = np.tile([0.9, 0.1], (len(dev.y), 1))
    part = by_group.usable(units, np.zeros(len(dev.y), bool))
    proba = by_group.pooled(units, raw, part, "mean")
    report = with_area_of_pairs(assess(units.data, proba, np.zeros(units.n, int), 200, 7))
    assert (report["roc_auc"], report.ci["roc_auc"]) == (0.5, [0.5, 0.5])


def test_the_values_of_a_unit_are_those_of_its_samples():
    data = dataset(*mixed(5), np.array([0, 0, 1, 1, 2]), folds=0)
    units = by_group.find(data, [data.group], SelectParams(group_label="any positive"))
    assert units.values(np.array(["a", "a", "a", "b", "b"])).tolist() == ["a", by_group.SEVERAL, "b"]


def test_pooling_is_chosen_without_the_fold_it_is_reported_on():
    dev = grouped()
    units = by_group.find(dev, [dev.group], SelectParams())
    rng = np.random.default_rng(0)
    # in the first fold the maximum tells the classes, in all others the mean
    p = np.where(dev.y == 1, 0.7, 0.3) + rng.normal(size=len(dev.y)) * 0.1
    p = np.where((dev.fold == 0) & (rng.random(len(p)) < 0.5), 0.02, p).clip(0.01, 0.99)
    raw, part = np.column_stack([1 - p, p]), by_group.usable(units, np.zeros(len(p), bool))
    before = by_group.choose(units, raw, part, ["mean", "max"], None)
    changed = raw.copy()
    changed[dev.fold == 0] = 0.5
    after = by_group.choose(units, changed, part, ["mean", "max"], None)
    assert before.by_fold[0] == after.by_fold[0]
    assert [tried.pooling for tried in before.tried] == ["mean", "max"]
    assert before.chosen == min(before.tried, key=lambda tried: tried.log_loss).pooling


def test_a_unit_is_judged_by_its_usable_samples():
    data = dataset(*mixed(7), np.array([0, 0, 0, 1, 1, 1, 2]), folds=0)
    data = Dataset(**{**vars(data), "y": np.array([0, 0, 0, 1, 1, 1, 1])})
    units = by_group.find(data, [data.group], SelectParams())
    part = by_group.usable(units, np.array([True, False, False, True, True, False, True]))
    assert part.refused.tolist() == [False, True, True]
    assert part.samples.tolist() == [False, True, True, True, True, True, True]


def test_figures_by_group_are_of_pooled_predictions(unit):
    report, rule = read_cv("t", "line"), DecisionRule.read("t", "line")
    dev, raw = Dataset.load(Path("data/t/dev.npz")), read_oof("t", "line")
    assert report.by_group.counts.n == report.by_group.counts.n_groups == 60
    assert (report.by_group.n_samples, report.by_group.largest) == (len(dev.y), 4) == (150, 4)
    assert rule.unit == unit
    assert rule.pooling == report.by_group.pooling.chosen
    refused = np.load("models/t/candidates/line/oof.npz")["distance"] > rule.refusal
    assert not refused.any()
    member, y = np.unique(GROUPS, return_inverse=True)[1], dev.y[np.unique(GROUPS, return_index=True)[1]]
    proba = pool(raw, member, 60, rule.pooling)
    units = by_group.find(dev, [dev.group], SelectParams()).data
    expected = with_area_of_pairs(assess(units, calibrate(proba, rule), np.zeros(60, int), 200, 7, 5), 5)
    assert report.by_group["roc_auc"] == pytest.approx(expected["roc_auc"], abs=1e-6)
    assert report.by_group.ci["roc_auc"] == pytest.approx(expected.ci["roc_auc"], abs=1e-5)
    assert (units.y == y).all()
    assert report.by_group["roc_auc"] > report["roc_auc"]


def test_the_test_set_is_judged_by_the_frozen_pooling(unit):
    report = read_test("t", "line")
    assert report.by_group.counts.n == 60
    assert report.by_group.pooling is None
    assert report.by_group["roc_auc"] > report["roc_auc"]
    assert report.by_group.operating_point.threshold == DecisionRule.read("t", "line").threshold


def test_the_unit_chooses_champion_and_operating_point(unit):
    selection = artifacts.read_json("reports/t/selection.json")
    report = read_cv("t", "line")
    chosen = report if unit == "sample" else report.by_group
    assert selection["scores"]["line"] == pytest.approx(chosen["roc_auc"])
    # the sensitivity that was asked for is met where it is counted
    assert chosen["recall"] >= 0.7
    other = artifacts.read_json("models/t/decisions/line.json")
    assert other.get("unit", "sample") == unit


def test_samples_alone_leave_no_trace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params(MODELS, unit="group")
    X, y = mixed(80)
    dataset(X, y).save(Path("data/t/dev.npz"))
    train_and_evaluate(MODELS)
    with_unit = Path("reports/t/cv/line.json").read_bytes(), Path("models/t/decisions/line.json").read_bytes()
    write_params(MODELS)
    train_and_evaluate(MODELS)
    assert with_unit == (Path("reports/t/cv/line.json").read_bytes(), Path("models/t/decisions/line.json").read_bytes())
    assert "by_group" not in artifacts.read_json("reports/t/cv/line.json")


def test_few_groups_of_a_class_have_counts_instead(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params(MODELS)
    y = (np.arange(30) < 9).astype(int)[np.repeat(np.arange(30), 3)]
    X, _ = mixed(90)
    X["size"] = y + np.random.default_rng(0).normal(size=90)
    dataset(X[["size"]], y, np.repeat(np.arange(30), 3), folds=3).save(Path("data/t/dev.npz"))
    train_and_evaluate(["line"])
    report = read_cv("t", "line").by_group
    assert report.counts.groups == {"benign": 21, "malignant": 9}
    assert np.isnan(report.ci["roc_auc"]).all()
    assert report.cases["recall"][1] == 9
    assert not np.isnan(report.ci["accuracy"]).any()


def test_the_leaderboard_has_both_and_is_ranked_by_the_unit(unit):
    table = pd.read_csv("reports/t/leaderboard.csv")
    line = table[table["model"] == "line"].iloc[0]
    report, test = read_cv("t", "line"), read_test("t", "line")
    assert table.columns[4] == "roc_auc"
    assert line["roc_auc"] == pytest.approx(report["roc_auc"])
    assert line["by_group_roc_auc"] == pytest.approx(report.by_group["roc_auc"])
    assert [line[f"by_group_roc_auc_{end}"] for end in ("low", "high")] == pytest.approx(report.by_group.ci["roc_auc"])
    assert line["test_by_group_roc_auc"] == pytest.approx(test.by_group["roc_auc"])
    text = leaderboard.board("t")
    assert "roc_auc by group" in text
    assert f"{line['by_group_roc_auc']:.3f}" in text
    assert ("ROC AUC per group" in text) == (unit == "group")


def test_the_better_of_a_unit_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params(MODELS)

    def report(samples, groups):
        of_groups = GroupReport({"roc_auc": groups}, {"roc_auc": [0, 1]})
        return Report({"roc_auc": samples, "brier_score_loss": 0.1}, {"roc_auc": [0, 1]}, by_group=of_groups)

    reports = {"line": report(0.7, 0.9), "floor": report(0.8, 0.6)}
    for unit, first in (("sample", "floor"), ("group", "line")):
        assert held_out.rank(reports, reports, "line", "roc_auc", "roc_auc", unit)["model"].iloc[0] == first


def test_the_run_in_mlflow_has_both(unit):
    report, test = read_cv("t", "line"), read_test("t", "line")
    figures = run_record.figures_of(report, test)
    assert figures["oof_by_group_roc_auc"] == report.by_group["roc_auc"]
    assert figures["test_by_group_roc_auc"] == test.by_group["roc_auc"]
    assert figures["oof_by_group_roc_auc_low"] == report.by_group.ci["roc_auc"][0]
    assert figures["oof_roc_auc"] == report["roc_auc"]
