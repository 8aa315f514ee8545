"""Empty classes, few groups and classes nothing is decided for are said; figures by class have their own intervals."""

import numpy as np
import pytest

from pipeline.evaluation.scoring import FEW_GROUPS, assess
from pipeline.stats.intervals import of_share
from tests.models import dataset, numbers

pytestmark = pytest.mark.filterwarnings("error")


def predictions(n=120, n_classes=2, of_a_group=2, seed=0):
    X, y = numbers(n, n_classes, seed)
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.ones(n_classes), n) + 0.5 * np.eye(n_classes)[y]
    return dataset(X, y, np.arange(n) // of_a_group, folds=0), proba / proba.sum(axis=1, keepdims=True)


def test_a_good_report_has_nothing_to_note():
    data, proba = predictions()
    assert assess(data, proba, proba.argmax(axis=1), 100, 7)["notes"] == []


def test_of_two_classes_the_shares_stand_under_both_names():
    data, proba = predictions()
    report = assess(data, proba, proba.argmax(axis=1), 100, 7)
    benign, malignant = (report["per_class"][name]["ci"] for name in ("benign", "malignant"))
    ci = report["ci"]
    assert (ci["recall"], ci["precision"]) == (malignant["recall"], malignant["precision"])
    assert (ci["specificity"], ci["negative_predictive_value"]) == (benign["recall"], benign["precision"])
    positive = data.y == 1
    assert ci["recall"] == of_share(proba[positive].argmax(axis=1) == 1, data.group[positive])


def test_counts_hold_samples_groups_and_the_table_by_class():
    data, proba = predictions(n_classes=4)
    counts = assess(data, proba, proba.argmax(axis=1), 100, 7)["counts"]
    assert (counts["n"], counts["n_groups"]) == (120, 60)
    assert counts["groups"] == {"adeno": 30, "large cell": 30, "normal": 30, "squamous": 30}
    assert sum(sum(row.values()) for row in counts["confusion"].values()) == 120


def test_few_groups_and_a_class_that_is_never_decided_are_said():
    data, proba = predictions(n=24, of_a_group=4)
    notes = assess(data, np.full_like(proba, 0.5), np.zeros(24, int), 100, 7)["notes"]
    assert notes == [
        "benign: samples of 6 groups only; intervals of what depends on it are rough",
        "malignant: samples of 6 groups only; intervals of what depends on it are rough",
        "malignant: nothing was decided to be this; its precision is undefined",
    ]
    assert FEW_GROUPS > 6


def test_a_class_without_a_sample_is_said_and_its_figures_are_undefined():
    data, proba = predictions(n_classes=4)
    kept = data.y != 3
    data = type(data)(*(getattr(data, name)[kept] for name in ("id", "path", "group", "y", "fold")), data.classes, {})
    report = assess(data, proba[kept], proba[kept].argmax(axis=1), 100, 7)
    assert report["notes"][0] == "squamous: there is no sample; what needs one is undefined"
    assert np.isnan(report["roc_auc"])
    assert np.isnan(report["ci"]["roc_auc"]).all()
    assert np.isnan(report["per_class"]["squamous"]["ci"]["recall"]).all()
    assert np.isfinite(report["ci"]["accuracy"]).all()
