"""Curves and tables of predictions hold what can be counted by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from pipeline.core import artifacts
from pipeline.evaluation import curves
from pipeline.evaluation.scoring import assess
from pipeline.prediction import decision_rule
from pipeline.stats import intervals
from tests.helpers.models import predictions


@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_roc_curve_rises_from_one_corner_to_the_other(n_classes):
    data, proba = predictions(n_classes)
    curve = curves.curve(data, proba)
    assert curve.columns.tolist() == ["fpr", "tpr"]
    assert curve.iloc[-1].tolist() == [1, 1]
    assert curve["fpr"].iloc[0] == 0
    assert (np.diff(curve, axis=0) >= 0).all()
    area = np.trapezoid(curve["tpr"], curve["fpr"])
    assert area == pytest.approx(assess(data, proba, proba.argmax(axis=1), 100, 7)["roc_auc"], abs=0.01)


def test_cases_list_every_sample_once_and_name_nobody():
    data, proba = predictions(4)
    decided = proba.argmax(axis=1)
    cases = curves.confusion_rows(data, decided)
    assert cases.columns.tolist() == ["actual", "decided"]
    counted = cases.value_counts().to_dict()
    matrix = reference.confusion_matrix(data.y, decided)
    for (row, column), count in np.ndenumerate(matrix):
        assert counted.get((data.classes[row], data.classes[column]), 0) == count


@pytest.mark.parametrize("n_classes", [2, 4])
def test_reliability_bins_hold_equal_counts(n_classes):
    data, proba = predictions(n_classes, 83)
    table = curves.reliability(data, proba)
    p = proba[:, 1] if n_classes == 2 else proba.max(axis=1)
    right = data.y == (1 if n_classes == 2 else proba.argmax(axis=1))
    order = np.argsort(p)
    start = 0
    for _, row in table.iterrows():
        members = order[start : start + int(row["n"])]
        assert row["predicted"] == pytest.approx(p[members].mean())
        assert row["observed"] == pytest.approx(right[members].sum() / len(members))
        assert row["n_groups"] == len({data.group[k] for k in members})
        assert 0 <= row["low"] <= row["observed"] <= row["high"] <= 1
        start += len(members)
    assert start == 83
    assert len(table) == 10
    assert table["n"].between(8, 9).all()


def test_constant_probabilities_make_one_bin():
    data, _ = predictions(2)
    table = curves.reliability(data, np.tile([0.75, 0.25], (80, 1)))
    assert table[["predicted", "observed", "n", "n_groups"]].to_numpy().tolist() == [[0.25, 0.5, 80, 40]]


@pytest.mark.parametrize("n", [80, 2000])
def test_every_row_of_the_thresholds_is_a_direct_count(tmp_path, n):
    data, proba = predictions(2, n)
    artifacts.write_csv(tmp_path / "thresholds.csv", curves.thresholds(data, proba, 0.5))
    table = pd.read_csv(tmp_path / "thresholds.csv")
    assert len(table) <= curves.THRESHOLDS
    assert table["threshold"].is_monotonic_increasing
    for row in table.to_dict("records"):
        called, positive = proba[:, 1] >= row["threshold"], data.y == 1
        assert (row["tp"], row["fp"]) == ((called & positive).sum(), (called & ~positive).sum())
        assert (row["fn"], row["tn"]) == ((~called & positive).sum(), (~called & ~positive).sum())
        assert row["sensitivity"] == pytest.approx(row["tp"] / (row["tp"] + row["fn"]), rel=1e-5)
        assert row["specificity"] == pytest.approx(row["tn"] / (row["tn"] + row["fp"]), rel=1e-5)
        for name, right, side in (("sensitivity", called, positive), ("specificity", ~called, ~positive)):
            expected = intervals.of_share(right[side], data.group[side])
            assert (row[f"{name}_low"], row[f"{name}_high"]) == pytest.approx(tuple(expected), rel=1e-4)
    assert table.loc[table["in_use"] == "yes", "threshold"].tolist() == [0.5]
    assert table["fn"].iloc[0] == table["tn"].iloc[0] == 0  # the lowest calls everybody positive


def test_of_few_samples_every_probability_is_a_threshold():
    data, proba = predictions(2)
    result = curves.thresholds(data, proba, 0.5)
    assert set(np.floor(proba[:, 1] * 10_000) / 10_000) | {0.5} == set(result["threshold"])


def test_threshold_in_use_matches_the_confusion():
    data, proba = predictions(2, 2000)
    report = assess(data, proba, decision_rule.decide(proba, decision_rule.DecisionRule()), 100, 7)
    table = curves.thresholds(data, proba, 0.5).set_index("threshold")
    benign, malignant = report.counts.confusion["benign"], report.counts.confusion["malignant"]
    assert table.loc[0.5, ["tn", "fp"]].tolist() == [benign["benign"], benign["malignant"]]
    assert table.loc[0.5, ["fn", "tp"]].tolist() == [malignant["benign"], malignant["malignant"]]


def test_the_surest_and_the_closest_come_first():
    result = curves.coverage(
        np.array([True, False, False, True]), np.array([0.6, 0.9, 0.8, 0.7]), np.array([1.0, 2, 3, 4])
    )
    by = {name: part[["coverage", "risk"]].to_numpy().tolist() for name, part in result.groupby("by")}
    assert by["confidence"] == [[0.25, 0], [0.5, 0], [0.75, 1 / 3], [1, 0.5]]
    assert by["familiarity"] == [[0.25, 1], [0.5, 0.5], [0.75, 1 / 3], [1, 0.5]]
