"""Empty classes, few groups and classes nothing is decided for are said; figures by class have their own intervals."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as reference

from pipeline.core import artifacts
from pipeline.evaluation.scoring import FEW_GROUPS, assess
from pipeline.stats.combined import balanced_accuracy, mover
from pipeline.stats.intervals import of_share, student
from pipeline.stats.logistic_calibration import NAMES as NAMES_OF_CALIBRATION
from tests.helpers.models import NAMES, predictions

pytestmark = pytest.mark.filterwarnings("error")
TWO = {"f1", "precision", "recall", "specificity", "negative_predictive_value"} | set(NAMES_OF_CALIBRATION)
MORE = {"f1_macro", "precision_macro", "recall_macro"}
BOTH = {
    "accuracy", "balanced_accuracy", "matthews_corrcoef", "roc_auc", "average_precision",
    "brier_score_loss", "log_loss", "ece",
}  # fmt: skip


@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_report_has_flat_scalars_their_intervals_counts_and_classes(n_classes):
    data, proba = predictions(n_classes)
    report = assess(data, proba, proba.argmax(axis=1), 200, 7)
    scalars = BOTH | (TWO if n_classes == 2 else MORE)
    assert set(report.to_json()) == scalars | {"ci", "counts", "per_class", "notes"}
    assert set(report.ci) == scalars - {"ece"}
    for name in report.ci:
        low, high = report.ci[name]
        assert low <= high
        assert low <= report[name] <= high
    assert report.counts.n == 80
    assert report.counts.n_groups == 40
    assert set(report.per_class) == set(NAMES[n_classes])
    for of_class in report.per_class.values():
        assert set(of_class.to_json()) == {"precision", "recall", "f1", "roc_auc", "support", "ci"}
        assert set(of_class.ci) == {"precision", "recall", "f1", "roc_auc"}
        for name, (low, high) in of_class.ci.items():
            assert 0 <= low < of_class[name] <= high <= 1


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_figures_are_scikit_learns(n_classes):
    data, proba = predictions(n_classes)
    decided = proba.argmax(axis=1)
    report = assess(data, proba, decided, 100, 7)
    score = proba[:, 1] if n_classes == 2 else proba
    assert report["roc_auc"] == pytest.approx(reference.roc_auc_score(data.y, score, multi_class="ovr"))
    assert report["accuracy"] == pytest.approx(reference.accuracy_score(data.y, decided))
    assert report["matthews_corrcoef"] == pytest.approx(reference.matthews_corrcoef(data.y, decided))
    matrix = reference.confusion_matrix(data.y, decided)
    assert [list(row.values()) for row in report.counts.confusion.values()] == matrix.tolist()


def test_undefined_figures_are_null_in_json(tmp_path):
    data, proba = predictions(2)
    report = assess(data, np.full_like(proba, 0.5), np.zeros(80, int), 100, 7)
    assert np.isnan(report["precision"])
    artifacts.write_json(tmp_path / "report.json", report.to_json())
    text = (tmp_path / "report.json").read_text()
    assert "NaN" not in text
    assert "Infinity" not in text
    assert json.loads(text)["precision"] is None


def test_a_good_report_has_nothing_to_note():
    data, proba = predictions(2, 120)
    assert assess(data, proba, proba.argmax(axis=1), 100, 7).notes == []


def test_of_two_classes_the_shares_stand_under_both_names():
    data, proba = predictions(2, 120)
    report = assess(data, proba, proba.argmax(axis=1), 100, 7)
    benign, malignant = (report.per_class[name].ci for name in ("benign", "malignant"))
    ci = report.ci
    assert (ci["recall"], ci["precision"]) == (malignant["recall"], malignant["precision"])
    assert (ci["specificity"], ci["negative_predictive_value"]) == (benign["recall"], benign["precision"])
    positive = data.y == 1
    assert ci["recall"] == of_share(proba[positive].argmax(axis=1) == 1, data.group[positive])


def test_counts_hold_samples_groups_and_the_table_by_class():
    data, proba = predictions(4, 120)
    counts = assess(data, proba, proba.argmax(axis=1), 100, 7).counts
    assert (counts.n, counts.n_groups) == (120, 60)
    assert counts.groups == {"adeno": 30, "large cell": 30, "normal": 30, "squamous": 30}
    assert sum(sum(row.values()) for row in counts.confusion.values()) == 120


def test_few_groups_and_undecided_classes_are_noted():
    data, proba = predictions(2, 24, of_a_group=4)
    notes = assess(data, np.full_like(proba, 0.5), np.zeros(24, int), 100, 7).notes
    assert notes == [
        "benign: samples of 6 groups only; intervals of what depends on it are rough",
        "malignant: samples of 6 groups only; intervals of what depends on it are rough",
        "malignant: nothing was decided to be this; its precision is undefined",
    ]
    assert FEW_GROUPS > 6


def test_class_without_samples_is_noted_and_undefined():
    data, proba = predictions(4, 120)
    kept = data.y != 3
    data = type(data)(*(getattr(data, name)[kept] for name in ("id", "path", "group", "y", "fold")), data.classes, {})
    report = assess(data, proba[kept], proba[kept].argmax(axis=1), 100, 7)
    assert report.notes[0] == "squamous: there is no sample; what needs one is undefined"
    assert np.isnan(report["roc_auc"])
    assert np.isnan(report.ci["roc_auc"]).all()
    assert np.isnan(report.per_class["squamous"].ci["recall"]).all()
    assert np.isfinite(report.ci["accuracy"]).all()


def test_share_of_few_cases_is_given_as_counts():
    data, proba = predictions(2, 120)
    kept = np.flatnonzero((data.y == 0) | (np.cumsum(data.y == 1) <= 4))
    data, proba = data.rows(kept), proba[kept]
    decided = proba.argmax(axis=1)
    report = assess(data, proba, decided, 100, 7)
    hits = int(((decided == 1) & (data.y == 1)).sum())
    assert report.cases["recall"] == report.per_class["malignant"].cases["recall"] == [hits, 4]
    assert np.isnan(report.ci["recall"]).all()
    assert "specificity" not in report.cases
    assert np.isfinite(report.ci["balanced_accuracy"]).all()
    assert report.to_json()["cases"] == report.cases


def test_recalls_of_few_groups_share_their_degrees_of_freedom():
    data, proba = predictions(2, 100)
    alone = replace(data, group=data.id)
    groups = replace(data, group=np.array([f"{k}-{n % 20 // 2}" for n, k in enumerate(data.y)]))
    decided = proba.argmax(axis=1)
    for part, ratio in ((alone, 1.0), (groups, student(18) / student(9))):
        report = assess(part, proba, decided, 100, 7)
        recalls = [(each["recall"], each.ci["recall"]) for each in report.per_class.values()]
        widths = [high - low for low, high in (report.ci["balanced_accuracy"], mover(balanced_accuracy, recalls))]
        assert widths[0] / widths[1] == pytest.approx(ratio, abs=0.02)


def test_one_figure_has_one_interval():
    data, proba = predictions(2, 120)
    report = assess(data, proba, proba.argmax(axis=1), 100, 7)
    positive = report.per_class["malignant"]
    for name in ("recall", "precision", "f1", "roc_auc"):
        assert report.ci[name] == positive.ci[name], name
    data, proba = predictions(4, 120)
    report = assess(data, proba, proba.argmax(axis=1), 100, 7)
    assert report.ci["recall_macro"] == report.ci["balanced_accuracy"]


def test_intervals_out_of_fold_are_wider():
    data, proba = predictions(2, 240)
    decided = proba.argmax(axis=1)
    fixed, crossed = (assess(data, proba, decided, 200, 7, n_folds) for n_folds in (None, 5))
    for name, ends in fixed.ci.items():
        assert np.diff(crossed.ci[name]) > 1.05 * np.diff(ends), name


def test_calibration_is_withheld_with_few_events():
    data, proba = predictions(2, 24)
    report = assess(data, proba, proba.argmax(axis=1), 100, 7)
    assert np.isnan([report["calibration_slope"], *report.ci["calibration_intercept"]]).all()


def test_separation_leaves_no_interval_of_width_zero():
    data, _ = predictions(2, 60)
    p = np.where(data.y == 1, 0.9, 0.1)
    report = assess(data, np.column_stack([1 - p, p]), data.y, 100, 7)
    assert report["brier_score_loss"] == pytest.approx(0.01)
    assert np.isnan([report.ci["brier_score_loss"], report.ci["log_loss"]]).all()
    assert all(low < high for low, high in report.ci.values() if not np.isnan(low))


def test_brier_score_of_two_groups_ends_at_1():
    data, _ = predictions(2, 60)
    p = np.where(data.y == 1, 0.1, 0.01)
    report = assess(replace(data, group=data.y.astype(str)), np.column_stack([1 - p, p]), data.y, 100, 7)
    assert report.ci["brier_score_loss"][1] == 1
