"""A model's report, decision rule and charts come from out-of-fold predictions alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import evaluate, train
from pipeline.core import artifacts
from pipeline.core.errors import StageError
from pipeline.core.params_models import SelectParams
from pipeline.data.dataset import Dataset
from pipeline.evaluation import calibration
from pipeline.evaluation.out_of_fold import Chosen, Predictions, assess_predictions, scaled_without_fold
from pipeline.evaluation.scoring import assess
from pipeline.prediction import decision_rule
from pipeline.prediction.decision_rule import Calibration, DecisionRule, calibrate
from pipeline.stats.metrics import scores
from tests.helpers.models import dataset, folder_of, mixed, write_params

SAME = (
    "accuracy",
    "balanced_accuracy",
    "matthews_corrcoef",
    "roc_auc",
    "average_precision",
    "brier_score_loss",
    "log_loss",
)


@pytest.fixture(scope="module", params=[2, 4])
def evaluated(request, tmp_path_factory):
    """A project with the model `line` trained on 2 or 4 classes and evaluated, and nothing of a test set."""
    with folder_of(tmp_path_factory.mktemp("evaluated")) as folder:
        write_params({"line": {"estimator": "logreg"}})
        X, y = mixed(80, request.param)
        dataset(X, y, np.arange(80) // 2).save(Path("data/t/dev.npz"))
        train.main("line")
        for name in ("gone/candidate.json", "notes/mine.txt"):
            artifacts.write_bytes(f"models/t/candidates/{name}", b"{}")
        evaluate.main("t")  # with its charts
    return folder


@pytest.fixture
def project(evaluated, work_in_copy):
    """A copy of the evaluated project."""
    work_in_copy(evaluated)


def test_candidates_of_models_that_are_gone_go(project):
    assert sorted(folder.name for folder in Path("models/t/candidates").iterdir()) == ["line", "notes"]


def test_evaluate_writes_exactly_its_outputs(project):
    result = sorted(
        path.as_posix()
        for folder in ("reports", "models/t/decisions", "models/t/suspects")
        for path in Path(folder).rglob("*.*")
    )
    names = ("confusion", "history", "roc")
    more = [f"{name}.{suffix}" for name in ("coverage", "importance", "reliability") for suffix in ("csv", "png")]
    if len(Dataset.load(Path("data/t/dev.npz")).classes) == 2:
        more += ["calibration_curve.csv", "thresholds.csv", "decision_curve.csv", "decision_curve.png"]
    drawn = sorted(f"reports/t/figures/line/{name}" for name in [*(f"{name}.png" for name in names), *more])
    numbers = [f"reports/t/plots/{name}/line.csv" for name in names]
    assert result == [
        "models/t/decisions/line.json",
        "models/t/suspects/line.csv",
        "reports/t/cv/line.json",
        *drawn,
        *numbers,
    ]
    assert set(artifacts.read_json("models/t/decisions/line.json")) == {
        "calibration",
        "threshold",
        "chosen_for",
        "refusal",
    }


@pytest.mark.parametrize("power", [1.0, 0.2])  # as it is, and so unsure of itself that it has to be calibrated
def test_report_matches_predictions_and_decision_rule(project, power):
    dev = Dataset.load(Path("data/t/dev.npz"))
    saved = dict(np.load("models/t/candidates/line/oof.npz"))
    oof = saved["proba"] ** power
    raw = oof / oof.sum(axis=1, keepdims=True)
    artifacts.write_npz("models/t/candidates/line/oof.npz", saved | {"proba": raw})
    evaluate.main("t")
    rule, report = decision_rule.DecisionRule.read("t", "line"), artifacts.read_json("reports/t/cv/line.json")
    method = {1.0: "none", 0.2: "sigmoid" if dev.positive else "temperature"}[power]
    assert rule.calibration.method == report["calibration"]["method"] == method
    assert rule.threshold == 0.5
    proba = decision_rule.calibrate(raw, rule)
    expected = artifacts.rounded(
        assess(dev, proba, decision_rule.decide(proba, rule), 200, 7, n_folds=dev.fold.max() + 1)
    )
    judged = ("brier_score_loss", "log_loss", "ece", "calibration_slope", "calibration_intercept")
    for name, value in expected.items():
        if name not in ("ci", *judged):
            assert report[name] == value
    assert all(report["ci"][name] == ends for name, ends in expected["ci"].items() if name not in judged)
    after = report["calibration"]["before" if method == "none" else "after"]
    assert {name: report[name] for name in after} == after
    assert ("operating_point" in report) == bool(dev.positive)


def test_refusals_change_no_other_figure(project):
    before = artifacts.read_json("reports/t/cv/line.json")
    saved = dict(np.load("models/t/candidates/line/oof.npz"))
    wrong = saved["proba"].argmax(axis=1) != Dataset.load(Path("data/t/dev.npz")).y
    artifacts.write_npz("models/t/candidates/line/oof.npz", saved | {"distance": np.where(wrong, 0.6, 0.4)})
    evaluate.main("t")
    after = artifacts.read_json("reports/t/cv/line.json")
    assert after["refused"] == pytest.approx(wrong.mean(), abs=1e-6)
    assert after["kept"]["n"] == (~wrong).sum()
    assert after["kept"]["accuracy"] == 1
    assert after["accuracy"] == before["accuracy"] < 1


def test_running_twice_gives_the_same_bytes_images_included(project, real_charts):
    first = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    is_binary = len(Dataset.load(Path("data/t/dev.npz")).classes) == 2
    assert sum(path.suffix == ".png" for path in first) == 6 + is_binary
    evaluate.main("t")
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == first


def test_nothing_but_development_data_is_opened(project):
    assert not Path("data/t/test.npz").exists()
    Path("data/t/test.npz").write_bytes(b"opened: I am not a data set")
    evaluate.main("t")


def test_tables_hold_no_sample_ids_paths_or_groups(project):
    dev = Dataset.load(Path("data/t/dev.npz"))
    for path in Path("reports").rglob("*.*"):
        if path.suffix != ".png":
            text = path.read_text()
            assert not any(name in text for name in [*dev.id, *dev.path, *dev.group])


def test_history_is_the_mean_over_folds(project):
    rows = [[0, 1, 1.0, 2.0], [0, 2, 0.5, 1.0], [1, 1, 3.0, 4.0]]
    artifacts.write_csv(
        "models/t/candidates/line/history.csv", pd.DataFrame(rows, columns=["fold", "epoch", "loss", "val_loss"])
    )
    evaluate.main("t")
    assert pd.read_csv("reports/t/plots/history/line.csv").to_numpy().tolist() == [[1, 2, 3], [2, 0.5, 1]]


@pytest.mark.parametrize(
    ("lost", "stage"), [("models/t/candidates/line/candidate.json", "train@line"), ("data/t/dev.npz", "preprocess@t")]
)
def test_a_missing_input_names_the_stage_that_makes_it(project, lost, stage):
    Path(lost).unlink()
    with pytest.raises(StageError, match=f"{lost} is missing: run 'dvc repro {stage}'"):
        evaluate.main("t")


def test_what_was_tuned_is_in_the_report(project):
    path = Path("models/t/candidates/line/candidate.json")
    tuned = {"chosen": {"C": 1.0}, "by_fold": [{"C": 1.0}] * 5, "tried": [{"C": 1.0, "log_loss": 0.5}]}
    artifacts.write_json(path, artifacts.read_json(path) | {"tuned": tuned})
    evaluate.main("t")
    assert artifacts.read_json("reports/t/cv/line.json")["tuned"] == tuned


def test_repeated_folds_count_samples_once(project):
    """Predictions that are the same in each repeat give the figures of one, with intervals that are as wide."""
    once = artifacts.read_json("reports/t/cv/line.json")
    saved = dict(np.load("models/t/candidates/line/oof.npz"))
    artifacts.write_npz("models/t/candidates/line/oof.npz", saved | {"proba": np.tile(saved["proba"], (3, 1))})
    evaluate.main("t")
    content = artifacts.read_json("reports/t/cv/line.json")
    assert content["counts"]["n"] == 80
    assert content["counts"]["n_groups"] == once["counts"]["n_groups"]
    assert content["counts"]["repeats"] == 3
    assert content["notes"][-1] == "each sample was predicted 3 times, by models of other folds; all are counted"
    for name in SAME:
        assert content[name] == pytest.approx(once[name], abs=2e-3)
        assert content["ci"][name] == pytest.approx(once["ci"][name], abs=0.02)


def two_poolings(rule: DecisionRule) -> tuple[Predictions, np.ndarray]:
    """Return units of two folds, whose first was pooled in another way without it, and what scales with size."""
    data = dataset(*mixed(60), np.arange(60), folds=2)
    frozen, other = (proba / proba.sum(axis=1, keepdims=True) for proba in np.random.default_rng(1).random((2, 60, 2)))
    of = Predictions(data, frozen, (other, frozen))
    return of, scaled_without_fold(of, rule, of)


def test_each_fold_scales_by_the_pooling_chosen_without_it():
    of, scaled = two_poolings(DecisionRule())
    first = of.data.fold == 0
    assert (scaled[first] == of.by_fold[0][first]).all()
    assert (scaled[~first] == of.raw[~first]).all()


def test_each_fold_scales_by_a_calibrator_of_its_pooling():
    of, scaled = two_poolings(DecisionRule(calibration=Calibration("sigmoid")))
    first, other = of.data.fold == 0, of.by_fold[0]
    own = DecisionRule(calibration=calibration.fit(other[~first], of.data.y[~first]))
    assert scaled[first] == pytest.approx(calibrate(other[first], own))


def test_order_and_decisions_are_of_the_frozen_pooling():
    of, scaled = two_poolings(DecisionRule())
    chosen = Chosen(DecisionRule(), None, None)
    report, proba, decided = assess_predictions(of, chosen, of, SelectParams(draws=100), 2)
    expected = scores(of.data.y, of.raw, decided)
    assert (proba == of.raw).all()
    assert [report[name] for name in ("roc_auc", "recall")] == [expected[name] for name in ("roc_auc", "recall")]
    assert report["log_loss"] == pytest.approx(scores(of.data.y, scaled, decided)["log_loss"])
