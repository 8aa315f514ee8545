"""What a model's report holds, and the pictures and tables beside it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from pipeline import evaluate
from pipeline.core import artifacts
from pipeline.core.errors import StageError
from pipeline.data.dataset import Dataset
from pipeline.evaluation import curves, plots
from pipeline.prediction import decision_rule
from pipeline.prediction.decision_rule import DecisionRule
from pipeline.stats import intervals
from tests.models import NAMES, dataset, folder_of, mixed, numbers, train_and_evaluate, write_params

TWO = {"f1", "precision", "recall", "specificity", "negative_predictive_value"}
MORE = {"f1_macro", "precision_macro", "recall_macro"}
BOTH = {
    "accuracy", "balanced_accuracy", "matthews_corrcoef", "roc_auc", "average_precision",
    "brier_score_loss", "log_loss", "ece",
}  # fmt: skip


def predictions(n_classes, n=80, seed=0):
    """Return a development set and probabilities that are right for the most part."""
    X, y = numbers(n, n_classes, seed)
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.ones(n_classes), n) + 0.5 * np.eye(n_classes)[y]
    return dataset(X, y, np.arange(n) // 2), proba / proba.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module", params=[2, 4])
def evaluated(request, tmp_path_factory):
    """A project with the model `line` trained on 2 or 4 classes and evaluated, and nothing of a test set."""
    with folder_of(tmp_path_factory.mktemp("evaluated")) as folder:
        write_params({"line": {"estimator": "logreg"}})
        X, y = mixed(80, request.param)
        dataset(X, y, np.arange(80) // 2).save(Path("data/t/dev.npz"))
        train_and_evaluate(["line"])
    return folder


@pytest.fixture
def project(evaluated, tmp_path, monkeypatch):
    """A copy of the evaluated project."""
    shutil.copytree(evaluated, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_report_has_flat_scalars_their_intervals_counts_and_classes(n_classes):
    data, proba = predictions(n_classes)
    report = evaluate.assess(data, proba, proba.argmax(axis=1), 200, 7)
    scalars = BOTH | (TWO if n_classes == 2 else MORE)
    assert set(report) == scalars | {"ci", "counts", "per_class", "notes"}
    assert set(report["ci"]) == scalars
    for name in scalars:
        low, high = report["ci"][name]
        assert low <= high
        assert low - 0.1 <= report[name] <= high + 0.1
    assert report["counts"]["n"] == 80
    assert report["counts"]["n_groups"] == 40
    assert set(report["per_class"]) == set(NAMES[n_classes])
    for of_class in report["per_class"].values():
        assert set(of_class) == {"precision", "recall", "f1", "roc_auc", "support", "ci"}
        assert set(of_class["ci"]) == {"precision", "recall", "f1", "roc_auc"}
        for name, (low, high) in of_class["ci"].items():
            assert 0 <= low < of_class[name] <= high <= 1


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_figures_are_scikit_learns(n_classes):
    data, proba = predictions(n_classes)
    decided = proba.argmax(axis=1)
    report = evaluate.assess(data, proba, decided, 100, 7)
    score = proba[:, 1] if n_classes == 2 else proba
    assert report["roc_auc"] == pytest.approx(reference.roc_auc_score(data.y, score, multi_class="ovr"))
    assert report["accuracy"] == pytest.approx(reference.accuracy_score(data.y, decided))
    assert report["matthews_corrcoef"] == pytest.approx(reference.matthews_corrcoef(data.y, decided))
    matrix = reference.confusion_matrix(data.y, decided)
    assert [list(row.values()) for row in report["counts"]["confusion"].values()] == matrix.tolist()


def test_a_report_of_a_model_that_never_decides_for_a_class_is_json_with_null_and_not_nan(tmp_path):
    data, proba = predictions(2)
    report = evaluate.assess(data, np.full_like(proba, 0.5), np.zeros(80, int), 100, 7)
    assert np.isnan(report["precision"])
    artifacts.write_json(tmp_path / "report.json", report)
    text = (tmp_path / "report.json").read_text()
    assert "NaN" not in text
    assert "Infinity" not in text
    assert json.loads(text)["precision"] is None


@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_roc_curve_rises_from_one_corner_to_the_other(n_classes):
    data, proba = predictions(n_classes)
    curve = curves.curve(data, proba)
    assert curve.columns.tolist() == ["fpr", "tpr"]
    assert curve.iloc[-1].tolist() == [1, 1]
    assert curve["fpr"].iloc[0] == 0
    assert (np.diff(curve, axis=0) >= 0).all()
    area = np.trapezoid(curve["tpr"], curve["fpr"])
    assert area == pytest.approx(evaluate.assess(data, proba, proba.argmax(axis=1), 100, 7)["roc_auc"], abs=0.01)


def test_cases_list_every_sample_once_and_name_nobody():
    data, proba = predictions(4)
    decided = proba.argmax(axis=1)
    cases = curves.cases(data, decided)
    assert cases.columns.tolist() == ["actual", "decided"]
    counted = cases.value_counts().to_dict()
    matrix = reference.confusion_matrix(data.y, decided)
    for (row, column), count in np.ndenumerate(matrix):
        assert counted.get((data.classes[row], data.classes[column]), 0) == count


def test_the_stage_writes_report_decision_plots_and_tables_and_nothing_else(project):
    found = sorted(
        path.as_posix() for folder in ("reports", "models/t/decisions") for path in Path(folder).rglob("*.*")
    )
    names = ("confusion", "history", "roc")
    more = [f"{name}.{suffix}" for name in ("coverage", "importance", "reliability") for suffix in ("csv", "png")]
    if len(Dataset.load(Path("data/t/dev.npz")).classes) == 2:
        more.append("thresholds.csv")
    drawn = sorted(f"reports/t/figures/line/{name}" for name in [*(f"{name}.png" for name in names), *more])
    numbers = [f"reports/t/plots/line/{name}.csv" for name in names]
    assert found == ["models/t/decisions/line.json", "reports/t/cv/line.json", *drawn, *numbers]
    assert set(artifacts.read_json("models/t/decisions/line.json")) == {
        "calibration",
        "threshold",
        "chosen_for",
        "refusal",
    }


@pytest.mark.parametrize("power", [1.0, 0.2])  # as it is, and so unsure of itself that it has to be calibrated
def test_the_report_is_of_the_written_out_of_fold_predictions_as_the_decision_makes_them(project, power):
    dev = Dataset.load(Path("data/t/dev.npz"))
    saved = dict(np.load("models/t/candidates/line/oof.npz"))
    oof = saved["proba"] ** power
    raw = oof / oof.sum(axis=1, keepdims=True)
    artifacts.write_npz("models/t/candidates/line/oof.npz", saved | {"proba": raw})
    evaluate.main("line")
    rule, report = DecisionRule.read("t", "line"), artifacts.read_json("reports/t/cv/line.json")
    method = {1.0: "none", 0.2: "sigmoid" if dev.positive else "temperature"}[power]
    assert rule.calibration["method"] == report["calibration"]["method"] == method
    assert rule.threshold == 0.5
    proba = decision_rule.calibrate(raw, rule)
    expected = artifacts.rounded(evaluate.assess(dev, proba, decision_rule.decide(proba, rule), 200, 7))
    judged = ("brier_score_loss", "log_loss", "ece")
    for name, value in expected.items():
        if name not in ("ci", *judged):
            assert report[name] == value
    assert all(report["ci"][name] == ends for name, ends in expected["ci"].items() if name not in judged)
    after = report["calibration"]["before" if method == "none" else "after"]
    assert {name: report[name] for name in after} == after
    assert ("operating_point" in report) == bool(dev.positive)


def test_what_lies_far_from_the_other_folds_counts_as_refused_and_no_other_figure_changes_for_it(project):
    before = artifacts.read_json("reports/t/cv/line.json")
    saved = dict(np.load("models/t/candidates/line/oof.npz"))
    wrong = saved["proba"].argmax(axis=1) != Dataset.load(Path("data/t/dev.npz")).y
    artifacts.write_npz("models/t/candidates/line/oof.npz", saved | {"distance": np.where(wrong, 0.6, 0.4)})
    evaluate.main("line")
    after = artifacts.read_json("reports/t/cv/line.json")
    assert after["refused"] == pytest.approx(wrong.mean(), abs=1e-6)
    assert after["kept"]["n"] == (~wrong).sum()
    assert after["kept"]["accuracy"] == 1
    assert after["accuracy"] == before["accuracy"] < 1


def test_running_twice_gives_the_same_bytes_pictures_included(project):
    first = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    assert sum(path.suffix == ".png" for path in first) == 6
    evaluate.main("line")
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == first


def test_nothing_but_development_data_is_opened(project):
    assert not Path("data/t/test.npz").exists()
    Path("data/t/test.npz").write_bytes(b"opened: I am not a data set")
    evaluate.main("line")


def test_tables_hold_no_sample_ids_paths_or_groups(project):
    dev = Dataset.load(Path("data/t/dev.npz"))
    for path in Path("reports").rglob("*.*"):
        if path.suffix != ".png":
            text = path.read_text()
            assert not any(name in text for name in [*dev.id, *dev.path, *dev.group])


def test_the_history_is_the_mean_over_folds_that_reached_the_epoch(project):
    rows = [[0, 1, 1.0, 2.0], [0, 2, 0.5, 1.0], [1, 1, 3.0, 4.0]]
    artifacts.write_csv(
        "models/t/candidates/line/history.csv", pd.DataFrame(rows, columns=["fold", "epoch", "loss", "val_loss"])
    )
    evaluate.main("line")
    assert pd.read_csv("reports/t/plots/line/history.csv").to_numpy().tolist() == [[1, 2, 3], [2, 0.5, 1]]


@pytest.mark.parametrize(
    ("lost", "stage"), [("models/t/candidates/line/candidate.json", "train@line"), ("data/t/dev.npz", "preprocess@t")]
)
def test_a_missing_input_names_the_stage_that_makes_it(project, lost, stage):
    Path(lost).unlink()
    with pytest.raises(StageError, match=f"{lost} is missing: run 'dvc repro {stage}'"):
        evaluate.main("line")


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_reliability_table_counts_who_was_right_in_bins_of_equally_many(n_classes):
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


def test_a_model_that_says_the_same_of_all_has_one_bin():
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
    found = curves.thresholds(data, proba, 0.5)
    assert set(np.floor(proba[:, 1] * 10_000) / 10_000) | {0.5} == set(found["threshold"])


def test_the_row_of_the_threshold_in_use_is_the_confusion_of_the_report():
    data, proba = predictions(2, 2000)
    report = evaluate.assess(data, proba, decision_rule.decide(proba, DecisionRule()), 100, 7)
    table = curves.thresholds(data, proba, 0.5).set_index("threshold")
    benign, malignant = report["counts"]["confusion"]["benign"], report["counts"]["confusion"]["malignant"]
    assert table.loc[0.5, ["tn", "fp"]].tolist() == [benign["benign"], benign["malignant"]]
    assert table.loc[0.5, ["fn", "tp"]].tolist() == [malignant["benign"], malignant["malignant"]]


# Pictures


def is_png(path):
    return path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_png_has_the_same_bytes_every_time_and_does_not_name_who_drew_it(tmp_path, n_classes):
    data, proba = predictions(n_classes)
    matrix = reference.confusion_matrix(data.y, proba.argmax(axis=1))
    for name in ("first", "second"):
        plots.roc(data, proba, 0.8, "m", tmp_path / f"{name} roc.png")
        plots.confusion(matrix, data.classes, "m", tmp_path / f"{name} confusion.png")
        history = pd.DataFrame({"epoch": [1, 2], "loss": [0.7, 0.5], "val_loss": [0.8, 0.7]})
        plots.history(history, "m", tmp_path / f"{name} history.png")
        plots.reliability(curves.reliability(data, proba), data.positive, "m", tmp_path / f"{name} reliability.png")
    for kind in ("roc", "confusion", "history", "reliability"):
        first = tmp_path / f"first {kind}.png"
        assert is_png(first)
        assert first.read_bytes() == (tmp_path / f"second {kind}.png").read_bytes()
        assert b"atplotlib" not in first.read_bytes()


def test_awkward_class_names_and_many_classes_can_be_drawn(tmp_path):
    names = [
        "$5 cost",
        "a_b^c$",
        "_hidden",
        "Übergröße",
        "a very long name of a class",
        *(f"class {k}" for k in range(6)),
    ]
    y = np.arange(44) % 11
    proba = np.random.default_rng(0).dirichlet(np.ones(11), 44)
    data = Dataset(y, y, y, y, y, names, {})
    plots.roc(data, proba, 0.5, "m", tmp_path / "roc.png")
    plots.confusion(reference.confusion_matrix(y, proba.argmax(axis=1)), names, "m", tmp_path / "confusion.png")
    assert is_png(tmp_path / "roc.png")
    assert is_png(tmp_path / "confusion.png")


def test_a_history_without_held_out_losses_and_of_one_epoch_can_be_drawn(tmp_path):
    plots.history(pd.DataFrame({"epoch": [1], "loss": [0.7], "val_loss": [np.nan]}), "m", tmp_path / "h.png")
    assert is_png(tmp_path / "h.png")


def test_what_was_tuned_is_in_the_report(project):
    path = Path("models/t/candidates/line/candidate.json")
    tuned = {"chosen": {"C": 1.0}, "by_fold": [{"C": 1.0}] * 5, "tried": [{"C": 1.0, "log_loss": 0.5}]}
    artifacts.write_json(path, artifacts.read_json(path) | {"tuned": tuned})
    evaluate.main("line")
    assert artifacts.read_json("reports/t/cv/line.json")["tuned"] == tuned


def test_of_repeated_folds_every_prediction_is_judged_and_the_samples_are_counted_once(project):
    """Predictions that are the same in each repeat give the figures of one, with intervals that are as wide."""
    once = artifacts.read_json("reports/t/cv/line.json")
    saved = dict(np.load("models/t/candidates/line/oof.npz"))
    artifacts.write_npz("models/t/candidates/line/oof.npz", saved | {"proba": np.tile(saved["proba"], (3, 1))})
    evaluate.main("line")
    found = artifacts.read_json("reports/t/cv/line.json")
    assert found["counts"]["n"] == 80
    assert found["counts"]["n_groups"] == once["counts"]["n_groups"]
    assert found["counts"]["repeats"] == 3
    assert found["notes"][-1] == "each sample was predicted 3 times, by models of other folds; all are counted"
    for name in BOTH - {"ece"}:
        assert found[name] == pytest.approx(once[name], abs=2e-3)
        assert found["ci"][name] == pytest.approx(once["ci"][name], abs=0.02)
