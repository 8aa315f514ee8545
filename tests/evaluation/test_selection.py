"""Which model wins, why, and what is exported of it."""

import re
from pathlib import Path

import numpy as np
import pytest

from pipeline import evaluate, select_best, train
from pipeline.core import artifacts
from pipeline.core.errors import BundleError, DataError, StageError
from pipeline.data import images
from pipeline.evaluation.selection import RULE, Choice, explain, select
from pipeline.prediction import bundle
from pipeline.prediction.predictor import Predictor
from tests.models import (
    KERAS_NOISE,
    dataset,
    image_project,
    mixed,
    train_and_evaluate,
    use_head,
    write_params,
)
from tests.models import THREE_MODELS as MODELS

pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)
NOISE = np.random.default_rng(0).normal(size=400)  # of resampling, which hits all models alike
KEYS = {
    "task",
    "metric",
    "rule",
    "winner",
    "runner_up",
    "difference",
    "difference_ci",
    "tied",
    "reason",
    "scores",
    "bundle",
}


def chosen(scores, spread=0.0, higher_is_better=True):
    """Select by figures whose paired draws differ by noise of their own of the given spread."""
    own = np.random.default_rng(1)
    draws = {model: score + 0.05 * NOISE + spread * own.normal(size=400) for model, score in scores.items()}
    return select(scores, draws, higher_is_better)


@pytest.fixture
def project(evaluated, work_in_copy):
    """A copy of the evaluated project."""
    return work_in_copy(evaluated)


# The rule


def test_a_clear_winner_wins_wherever_it_stands_in_the_list():
    for order in (["a", "b", "c"], ["c", "a", "b"]):
        found = chosen({model: {"a": 0.7, "b": 0.9, "c": 0.8}[model] for model in order}, spread=0.01)
        assert (found.winner, found.runner_up, found.tied) == ("b", "c", [])
        assert found.difference == pytest.approx(-0.1)
        low, high = found.difference_ci
        assert low < -0.1 < high < 0


def test_first_listed_of_tied_models_is_selected():
    found = chosen({"bad": 0.5, "simple": 0.88, "middle": 0.89, "best": 0.9}, spread=0.03)
    assert (found.winner, found.runner_up, found.tied) == ("simple", "best", ["middle", "best"])
    assert found.difference == pytest.approx(0.02)
    assert found.difference_ci[0] < 0 < found.difference_ci[1]


def test_constant_small_difference_is_no_tie():
    assert chosen({"simple": 0.899, "best": 0.9}).winner == "best"


def test_equal_models_are_tied_and_the_first_wins():
    found = chosen({"first": 0.8, "second": 0.8})
    assert (found.winner, found.tied) == ("first", ["second"])


def test_of_a_loss_less_is_better():
    found = chosen({"a": 0.2, "b": 0.1, "c": 0.3}, spread=0.01, higher_is_better=False)
    assert (found.winner, found.runner_up) == ("b", "a")
    assert found.difference == pytest.approx(0.1)


def test_a_single_model_wins_without_a_runner_up():
    assert chosen({"only": 0.8}) == Choice("only")


def test_a_model_without_a_figure_neither_wins_nor_ties():
    scores = {"floor": np.nan, "a": 0.7, "b": 0.9}
    draws = {"floor": np.full(400, np.nan), "a": 0.7 + 0.01 * NOISE, "b": 0.9 + 0.02 * NOISE}
    found = select(scores, draws, True)
    assert (found.winner, found.runner_up, found.tied) == ("b", "a", [])
    assert select({"floor": np.nan, "a": 0.7}, draws, True).runner_up is None


def test_no_figure_at_all_is_an_error():
    with pytest.raises(DataError, match=r"defined for none of a, b; choose another select\.metric"):
        select({"a": np.nan, "b": np.nan}, {}, True)


# The sentence


@pytest.mark.parametrize(
    ("scores", "spread", "sentence"),
    [
        ({"a": 0.9}, 0, r"a selected \(ROC AUC 0\.900\): the only model"),
        (
            {"a": 0.7, "b": 0.9},
            0,
            r"b selected \(.*\): better than a \(0\.700, difference -0\.200 \[-0\.200, -0\.200\]\)",
        ),
        (
            {"a": 0.89, "b": 0.9},
            0.03,
            r"a selected \(.*\): tied with b \(0\.900, difference 0\.010 \[-0\.\d{3}, 0\.\d{3}\]\) and listed first",
        ),
        ({"a": 0.88, "b": 0.89, "c": 0.9}, 0.03, r"a selected .*: tied with c \(0\.900, .*\), b and listed first"),
        (
            {"a": 0.88, "b": 0.89, "d": 0.89, "c": 0.9},
            0.03,
            r"a selected .*: tied with c \(.*\), b, d and listed first",
        ),
    ],
    ids=["only", "clear", "tie", "tie of three", "tie of four"],
)
def test_the_verdict_is_a_sentence_with_its_figures(scores, spread, sentence):
    assert re.fullmatch(sentence, explain(chosen(scores, spread), "roc_auc", scores))


def test_verdict_names_ties_beyond_the_runner_up():
    scores = {"b": 0.9, "a": 0.88, "vague": 0.85}
    draws = {"b": 0.9 + 0 * NOISE, "a": 0.88 + 0 * NOISE, "vague": 0.85 + 0.1 * NOISE}
    sentence = explain(select(scores, draws, True), "roc_auc", scores)
    assert "better than a (0.880" in sentence
    assert sentence.endswith("; tied with vague")


# The stage


def test_selection_json_keeps_the_contract(project):
    select_best.main("t")
    found = artifacts.read_json("reports/t/selection.json")
    assert set(found) == KEYS
    assert (found["task"], found["metric"], found["rule"]) == ("t", "roc_auc", RULE)
    reports = {model: artifacts.read_json(f"reports/t/cv/{model}.json")["roc_auc"] for model in MODELS}
    assert found["scores"] == reports
    assert found["winner"] == "line"
    assert found["reason"].startswith(f"line selected (ROC AUC {reports['line']:.3f}): ")


def test_the_draws_of_two_models_are_paired(project):
    """A copy of a model makes the same draws: the difference is 0 with an interval of no width."""
    write_params({"line": {"estimator": "logreg"}, "twin": {"estimator": "logreg"}})
    train_and_evaluate(["twin"])
    select_best.main("t")
    found = artifacts.read_json("reports/t/selection.json")
    assert (found["winner"], found["tied"], found["difference"]) == ("line", ["twin"], 0)
    assert found["difference_ci"] == [0, 0]


@pytest.mark.parametrize("metric", ["brier_score_loss", "log_loss", "f1", "accuracy", "matthews_corrcoef"])
def test_any_metric_can_decide_and_the_floor_never_wins(project, metric):
    write_params(MODELS, metric=metric)
    select_best.main("t")
    found = artifacts.read_json("reports/t/selection.json")
    assert found["metric"] == metric
    assert found["winner"] != "floor"


def test_of_four_classes_f1_is_the_macro_average(empty_folder):
    write_params(MODELS, metric="f1")
    X, y = mixed(120, 4)
    dataset(X, y).save(Path("data/t/dev.npz"))
    train_and_evaluate(MODELS)
    select_best.main("t")
    found = artifacts.read_json("reports/t/selection.json")
    report = artifacts.read_json("reports/t/cv/line.json")
    assert found["scores"]["line"] == report["f1_macro"]
    assert found["winner"] in ("line", "near")


def test_a_model_without_a_figure_takes_part_without_winning(project):
    report = artifacts.read_json("reports/t/cv/near.json")
    report["roc_auc"], report["ci"]["roc_auc"] = None, [None, None]
    artifacts.write_json("reports/t/cv/near.json", report)
    select_best.main("t")
    found = artifacts.read_json("reports/t/selection.json")
    assert (found["winner"], found["runner_up"], found["scores"]["near"]) == ("line", "floor", None)


def test_running_twice_gives_the_same_bytes(project):
    def everything():
        select_best.main("t")
        files = [Path("reports/t/selection.json"), *Path("models/t/best").iterdir()]
        return {path: path.read_bytes() for path in files}

    assert everything() == everything()


def test_nothing_but_development_data_is_opened(project):
    assert not Path("data/t/test.npz").exists()
    select_best.main("t")
    Path("data/t/test.npz").write_bytes(b"opened: I am not a data set")
    select_best.main("t")


def test_bundle_has_rule_report_and_golden_answers(project):
    select_best.main("t")
    best = bundle.read(Path("models/t/best"))
    assert best.info.model == "line"
    assert best.info.decision == artifacts.read_json("models/t/decisions/line.json")
    expected = {"reference": best.info.metrics["reference"]}  # see tests/monitoring/test_baseline.py
    assert best.info.metrics == artifacts.read_json("reports/t/cv/line.json") | expected
    assert best.files["model.joblib"] == Path("models/t/candidates/line/model.joblib").read_bytes()
    sha256 = artifacts.sha256(Path("models/t/best/bundle.json").read_bytes())
    assert artifacts.read_json("reports/t/selection.json")["bundle"] == sha256 == bundle.expected_sha256("t")


def test_golden_predictions_of_a_table_match_the_bundle(project):
    select_best.main("t")
    loaded = Predictor("models/t/best")
    assert len(loaded.info.golden) == 3
    for example in loaded.info.golden:
        found = loaded.predict(example.input, "golden")
        assert not found["refused"]
        assert list(found["probabilities"].values()) == example.probabilities


def test_golden_predictions_of_images_match_the_bundle(empty_folder, tmp_path_factory):
    session = tmp_path_factory.getbasetemp()
    models = {"floor": {"estimator": "dummy"}, "net": {"estimator": "mobilenetv2"}}
    dev = image_project(session, models)
    train.main("floor")
    use_head(session, "net", dev)
    for name in models:
        evaluate.main(name)
    select_best.main("t")
    loaded = Predictor("models/t/best")
    assert loaded.info.model == "net"
    pictures = images.sample_images()
    assert len(loaded.info.golden) == len(pictures)
    for number, example in enumerate(loaded.info.golden):
        assert example.input == f"images.sample_pictures()[{number}]"
        assert loaded.proba(loaded.embed(pictures[number])).round(6).tolist() == example.probabilities


def test_new_champion_leaves_no_file_of_the_old_one(project):
    Path("models/t/best").mkdir()
    Path("models/t/best/model.keras").write_bytes(b"of an earlier champion")
    select_best.main("t")
    assert sorted(path.name for path in Path("models/t/best").iterdir()) == ["bundle.json", "model.joblib"]


def test_models_that_are_no_longer_listed_do_not_take_part(project):
    write_params({"floor": MODELS["floor"]})
    select_best.main("t")
    assert artifacts.read_json("reports/t/selection.json")["winner"] == "floor"


def test_an_altered_candidate_is_not_exported(project):
    Path("models/t/candidates/line/model.joblib").write_bytes(b"altered")
    with pytest.raises(BundleError, match=r"does not match candidate\.json"):
        select_best.main("t")
    assert not Path("reports/t/selection.json").exists()


@pytest.mark.parametrize(
    ("lost", "stage"),
    [
        ("data/t/dev.npz", "preprocess@t"),
        ("reports/t/cv/near.json", "evaluate@near"),
        ("models/t/decisions/near.json", "evaluate@near"),
        ("models/t/candidates/near/oof.npz", "train@near"),
    ],
)
def test_a_missing_input_names_the_stage_that_makes_it(project, lost, stage):
    Path(lost).unlink()
    with pytest.raises(StageError, match=f"{lost} is missing: run 'dvc repro {stage}'"):
        select_best.main("t")
