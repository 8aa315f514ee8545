"""Which model wins, why, and what is exported of it."""

import io
import re
from pathlib import Path

import joblib
import numpy as np
import pytest

from pipeline import evaluate, select_best, train
from pipeline.core import artifacts
from pipeline.core.errors import BundleError, DataError, StageError
from pipeline.data.images import squares
from pipeline.evaluation.candidates import ComparedModel, Draws
from pipeline.evaluation.report import Report
from pipeline.evaluation.selection import RULE, explain, promise, select
from pipeline.prediction import bundle
from pipeline.prediction.predictor import Predictor
from tests.helpers.models import KERAS_NOISE, dataset, image_project, mixed, train_and_evaluate, use_head, write_params
from tests.helpers.models import THREE_MODELS as MODELS

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
    "best",
    "compared",
    "lowest",
    "expected",
    "warning",
    "promise",
}


def candidates(scores, spread=0.0, losses=None, ends=0.1, baselines=()):
    """Candidates by ROC AUC and log loss, whose paired draws differ by noise of their own of the given spread."""
    own = np.random.default_rng(1)
    result = {}
    for model, score in scores.items():
        loss = (losses or {}).get(model, 1 - score)
        figures = {"roc_auc": score, "log_loss": loss}
        drawn = {name: value + 0.05 * NOISE + spread * own.normal(size=400) for name, value in figures.items()}
        left = {name: value + 0.1 * own.normal(size=400) for name, value in figures.items()}
        ci = {"roc_auc": [score - ends, min(score + ends, 1)]}
        result[model] = ComparedModel(Report(figures=figures, ci=ci), Draws(drawn, left), model in baselines)
    return result


def chosen(scores, spread=0.0, losses=None, **options):
    """Select from `candidates` by ROC AUC, of 5 folds and 100 groups."""
    return select(candidates(scores, spread, losses, **options), "roc_auc", True, 5, 100)


@pytest.fixture
def project(evaluated, work_in_copy):
    """A copy of the evaluated project."""
    return work_in_copy(evaluated)


# The rule


def test_higher_figure_is_selected_wherever_it_is_listed():
    for order in (["a", "b", "c"], ["c", "a", "b"]):
        result = chosen({model: {"a": 0.7, "b": 0.9, "c": 0.8}[model] for model in order}, spread=0.01)
        assert (result.winner, result.runner_up, result.tied, result.best) == ("b", "c", [], "b")
        assert result.difference == pytest.approx(-0.1)
        low, high = result.difference_ci
        assert low < -0.1 < high < 0


def test_tie_does_not_select_a_lower_figure():
    result = chosen({"simple": 0.8, "best": 0.9}, spread=0.1)
    assert (result.winner, result.runner_up, result.tied) == ("best", "simple", ["simple"])
    assert result.difference_ci[0] < 0 < result.difference_ci[1]


def test_close_figures_are_decided_by_log_loss():
    result = chosen({"a": 0.895, "b": 0.9, "c": 0.88}, losses={"a": 0.3, "b": 0.5, "c": 0.1})
    assert (result.winner, result.best, result.lowest, result.compared) == ("a", "b", "a", ["a", "b"])


def test_simple_model_is_selected_where_nothing_speaks_against_it():
    scores, losses = {"simple": 0.895, "best": 0.9}, {"simple": 0.31, "best": 0.3}
    assert chosen(scores, 0.1, losses).winner == "simple"
    assert chosen(scores, 0.001, losses).winner == "best"


def test_equal_models_are_tied_and_the_first_is_selected():
    result = chosen({"first": 0.8, "second": 0.8})
    assert (result.winner, result.tied) == ("first", ["second"])


def test_of_a_loss_less_is_better():
    models = candidates({"a": 0.8, "b": 0.9, "c": 0.7}, spread=0.01)
    for model in models.values():
        model.report.ci["log_loss"] = [0.1, 0.9]
    result = select(models, "log_loss", False, 5, 100)
    assert (result.winner, result.runner_up) == ("b", "a")
    assert result.difference == pytest.approx(0.1)


def test_a_single_model_is_selected_without_a_runner_up():
    result = chosen({"only": 0.8})
    assert (result.winner, result.runner_up, result.tied) == ("only", None, [])
    assert (result.expected.figure, result.expected.ci) == (0.8, pytest.approx([0.7, 0.9]))


def test_model_without_a_figure_is_neither_selected_nor_tied():
    for scores in ({"floor": np.nan, "a": 0.7, "b": 0.9}, {"b": 0.9, "floor": np.nan}):
        result = chosen(scores, 0.01)
        assert (result.winner, "floor" in result.tied, result.runner_up) == ("b", False, "a" if "a" in scores else None)


def test_no_figure_at_all_is_an_error():
    with pytest.raises(DataError, match=r"defined for none of a, b; choose another select\.metric"):
        chosen({"a": np.nan, "b": np.nan})


def test_baseline_is_never_selected_over_a_model():
    scores, losses = {"model": 0.5, "floor": 0.52}, {"model": 0.8, "floor": 0.69}
    assert chosen(scores, 0.1, losses, baselines=["floor"]).winner == "model"
    assert chosen({"floor": 0.5}, baselines=["floor"]).winner == "floor"


def test_equal_models_share_the_luck_of_the_best():
    result = chosen({name: 0.6 for name in "abcde"} | {"f": 0.66}, spread=0.05)
    assert 0.6 < result.expected.figure < 0.65
    assert result.expected.ci[0] < 0.56 < result.expected.ci[1]
    assert chosen({"a": 0.6, "b": 0.9}, spread=0.02).expected.figure == 0.9


# Not better than guessing


@pytest.mark.parametrize(
    ("scores", "options", "warning"),
    [
        ({"a": 0.58}, {}, "not better than guessing: the interval of its ROC AUC, 0.480 to 0.680, contains 0.5"),
        ({"a": 0.61}, {}, ""),
        (
            {"a": 0.58, "floor": 0.5},
            {"spread": 0.1, "baselines": ["floor"]},
            "not better than guessing: cannot be told from floor, which predicts the class frequencies",
        ),
        ({"a": 0.9, "floor": 0.5}, {"spread": 0.05, "baselines": ["floor"]}, ""),
        (
            {"floor": 0.5},
            {"baselines": ["floor"]},
            "not better than guessing: a baseline that predicts the class frequencies",
        ),
    ],
    ids=["contains 0.5", "above", "tied with the baseline", "above the baseline", "the baseline"],
)
def test_champion_no_better_than_guessing_is_named_so(scores, options, warning):
    result = chosen(scores, **options)
    assert result.warning == warning
    assert explain(result, "roc_auc", candidates(scores, **options)).endswith(warning)


# The sentence


@pytest.mark.parametrize(
    ("scores", "spread", "losses", "sentence"),
    [
        ({"a": 0.9}, 0, {}, r"a selected \(ROC AUC 0\.900\): the only model"),
        (
            {"a": 0.7, "b": 0.9},
            0,
            {},
            r"b selected \(.*\): best ROC AUC; better than a \(0\.700, difference -0\.200 \[-0\.200, -0\.200\]\)",
        ),
        (
            {"a": 0.8, "b": 0.9},
            0.1,
            {},
            r"b selected \(.*\): best ROC AUC; tied with a \(0\.800, difference -0\.100 \[-0\.\d{3}, 0\.\d{3}\]\)",
        ),
        (
            {"a": 0.895, "b": 0.9},
            0.1,
            {"a": 0.3, "b": 0.4},
            r"a selected .*: ROC AUC within 0\.01 of the best \(b, 0\.900\), and the lowest log loss "
            r"\(0\.300\) of the 2 models that are; tied with b .*",
        ),
        (
            {"a": 0.9, "b": 0.895},
            0.1,
            {"a": 0.31, "b": 0.3},
            r"a selected .*: best ROC AUC; its log loss, 0\.310, is within half a standard error of the lowest of these "
            r"models \(b, 0\.300\), and it is listed first; tied with b .*",
        ),
        (
            {"a": 0.895, "b": 0.9},
            0,
            {"a": 0.3, "b": 0.4},
            r"a selected .*: ROC AUC within .*; below b \(0\.900, difference 0\.005 \[0\.005, 0\.005\]\)",
        ),
        ({"b": 0.9, "a": 0.8, "c": 0.81}, 0.2, {}, r"b selected .*: best ROC AUC; tied with c \(0\.810, .*\), a"),
    ],
    ids=["only", "clear", "tie", "log loss", "simpler", "below", "three"],
)
def test_the_verdict_says_what_was_done(scores, spread, losses, sentence):
    models = candidates(scores, spread, losses)
    assert re.fullmatch(sentence, explain(chosen(scores, spread, losses), "roc_auc", models))


def test_promise_names_the_choice_that_it_is_corrected_for():
    models = candidates({name: 0.6 for name in "abc"} | {"d": 0.66, "floor": 0.5}, 0.05, baselines=["floor"])
    result = select(models, "roc_auc", True, 5, 100)
    low, high = result.expected.ci
    figure = f"ROC AUC {result.expected.figure:.3f} [{low:.3f}, {high:.3f}]"
    less = "corrected for choosing the best of 4 models"
    assert promise(result, "roc_auc", models) == f"expected on new patients: {figure}, {less}"
    only = candidates({"a": 0.8})
    assert promise(select(only, "roc_auc", True, 5, 100), "roc_auc", only).endswith("0.800 [0.700, 0.900]")


# The stage


def test_selection_json_keeps_the_contract(project):
    select_best.main("t")
    content = artifacts.read_json("reports/t/selection.json")
    assert set(content) == KEYS
    assert (content["task"], content["metric"], content["rule"]) == ("t", "roc_auc", RULE)
    reports = {model: artifacts.read_json(f"reports/t/cv/{model}.json")["roc_auc"] for model in MODELS}
    assert content["scores"] == reports
    assert content["winner"] == "line"
    assert content["reason"].startswith(f"line selected (ROC AUC {reports['line']:.3f}): ")


def test_the_draws_of_two_models_are_paired(project):
    """A copy of a model makes the same draws: the difference is 0 with an interval of no width."""
    write_params({"line": {"estimator": "logreg"}, "twin": {"estimator": "logreg"}})
    train_and_evaluate(["twin"])
    select_best.main("t")
    content = artifacts.read_json("reports/t/selection.json")
    assert (content["winner"], content["tied"], content["difference"]) == ("line", ["twin"], 0)
    assert content["difference_ci"] == [0, 0]


@pytest.mark.parametrize("metric", ["brier_score_loss", "log_loss", "f1", "accuracy", "matthews_corrcoef"])
def test_any_metric_can_decide_and_the_floor_never_wins(project, metric):
    write_params(MODELS, metric=metric)
    select_best.main("t")
    content = artifacts.read_json("reports/t/selection.json")
    assert content["metric"] == metric
    assert content["winner"] != "floor"


def test_of_four_classes_f1_is_the_macro_average(empty_folder):
    write_params(MODELS, metric="f1")
    X, y = mixed(120, 4)
    dataset(X, y).save(Path("data/t/dev.npz"))
    train_and_evaluate(MODELS)
    select_best.main("t")
    content = artifacts.read_json("reports/t/selection.json")
    report = artifacts.read_json("reports/t/cv/line.json")
    assert content["scores"]["line"] == report["f1_macro"]
    assert content["winner"] in ("line", "near")


def test_a_model_without_a_figure_takes_part_without_winning(project):
    report = artifacts.read_json("reports/t/cv/near.json")
    report["roc_auc"], report["ci"]["roc_auc"] = None, [None, None]
    artifacts.write_json("reports/t/cv/near.json", report)
    select_best.main("t")
    content = artifacts.read_json("reports/t/selection.json")
    assert (content["winner"], content["runner_up"], content["scores"]["near"]) == ("line", "floor", None)


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
    exported = joblib.load(io.BytesIO(best.files["model.joblib"]))
    assert exported.classes_.tolist() == best.info.classes
    assert best.files["README.md"].startswith(b"# line\n")
    sha256 = artifacts.sha256(Path("models/t/best/bundle.json").read_bytes())
    assert artifacts.read_json("reports/t/selection.json")["bundle"] == sha256 == bundle.expected_sha256("t")


def test_champion_no_better_than_guessing_says_so_in_answers(project):
    for model in ("line", "near"):
        report = artifacts.read_json(f"reports/t/cv/{model}.json")
        report["ci"]["roc_auc"] = [0.42, 0.99]
        artifacts.write_json(f"reports/t/cv/{model}.json", report)
    select_best.main("t")
    chosen = artifacts.read_json("reports/t/selection.json")
    loaded = Predictor("models/t/best")
    assert chosen["warning"] == loaded.info.warning
    assert loaded.info.warning.startswith("not better than guessing: the interval of its ROC AUC, 0.4")
    assert chosen["reason"].endswith(loaded.info.warning)
    answer = loaded.predict(loaded.info.golden[0].input, "row")
    assert answer["warning"] == loaded.info.warning


def test_golden_predictions_of_a_table_match_the_bundle(project):
    select_best.main("t")
    loaded = Predictor("models/t/best")
    assert len(loaded.info.golden) == 3
    for example in loaded.info.golden:
        result = loaded.predict(example.input, "golden")
        assert not result["refused"]
        assert list(result["probabilities"].values()) == example.probabilities


def test_golden_predictions_of_images_match_the_bundle(empty_folder, tmp_path_factory):
    session = tmp_path_factory.getbasetemp()
    models = {"floor": {"estimator": "dummy"}, "net": {"estimator": "mobilenetv2"}}
    dev = image_project(session, models)
    train.main("floor")
    use_head(session, "net", dev)
    evaluate.main("t")
    select_best.main("t")
    loaded = Predictor("models/t/best")
    assert loaded.info.model == "net"
    files = squares.sample_images()
    assert len(loaded.info.golden) == len(files)
    for number, example in enumerate(loaded.info.golden):
        assert example.input == f"images.sample_pictures()[{number}]"
        proba = loaded.score(loaded.load_square(files[number])).proba
        assert proba.round(6).tolist() == example.probabilities


def test_new_champion_leaves_no_file_of_the_old_one(project):
    Path("models/t/best").mkdir()
    Path("models/t/best/model.keras").write_bytes(b"of an earlier champion")
    select_best.main("t")
    assert sorted(path.name for path in Path("models/t/best").iterdir()) == ["README.md", "bundle.json", "model.joblib"]


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
        ("reports/t/cv/near.json", "evaluate@t"),
        ("models/t/decisions/near.json", "evaluate@t"),
        ("models/t/candidates/near/oof.npz", "train@near"),
    ],
)
def test_a_missing_input_names_the_stage_that_makes_it(project, lost, stage):
    Path(lost).unlink()
    with pytest.raises(StageError, match=f"{lost} is missing: run 'dvc repro {stage}'"):
        select_best.main("t")
