"""The test set is opened once a champion is chosen, and scored by the Predictor that serves; then the leaderboard."""

import csv
import shutil
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import accuracy_score, brier_score_loss, roc_auc_score

from pipeline import evaluate, holdout, leaderboard, select_best, train
from pipeline.core import artifacts, params
from pipeline.core.errors import StageError
from pipeline.data.dataset import Dataset
from pipeline.evaluation.metric_names import PROMISE
from pipeline.evaluation.new_data import held_out
from pipeline.evaluation.new_data.held_out import as_published
from pipeline.evaluation.report import Report
from pipeline.prediction.decision_rule import DecisionRule, calibrate
from tests.helpers.models import KERAS_NOISE, dataset, image_project, mixed, train_and_evaluate, use_head, write_params
from tests.helpers.models import THREE_MODELS as MODELS

N_DEV, N_TEST, N_LEAKED = 60, 30, 24  # of the leaky project
pytestmark = pytest.mark.filterwarnings(KERAS_NOISE)


def board():
    with Path("reports/t/leaderboard.csv").open() as file:
        return list(csv.DictReader(file))


def test_scores_are_those_computed_by_hand(scored_project):
    test = Dataset.load(Path("data/t/test.npz"))
    for model in MODELS:
        fitted = joblib.load(f"models/t/candidates/{model}/model.joblib")
        rule = DecisionRule.read("t", model)
        proba = calibrate(fitted.predict_proba(test.X("columns")), rule)[:, 1]
        report = artifacts.read_json(f"reports/t/test/{model}.json")
        assert report["roc_auc"] == pytest.approx(roc_auc_score(test.y, proba), abs=1e-6)
        assert report["brier_score_loss"] == pytest.approx(brier_score_loss(test.y, proba), abs=1e-6)
        assert report["accuracy"] == pytest.approx(accuracy_score(test.y, proba >= 0.5), abs=1e-6)
        assert report["counts"]["n"] == 50


def test_the_models_own_decision_is_applied(scored_project):
    artifacts.write_json("models/t/decisions/line.json", {"threshold": 0.9})
    holdout.main("t")
    test = Dataset.load(Path("data/t/test.npz"))
    proba = joblib.load("models/t/candidates/line/model.joblib").predict_proba(test.X("columns"))[:, 1]
    report = artifacts.read_json("reports/t/test/line.json")
    assert report["recall"] == pytest.approx((proba[test.y == 1] >= 0.9).mean(), abs=1e-6)


def test_leaderboard_keeps_the_contract(scored_project):
    rows = board()
    columns = "rank,model,estimator,features,roc_auc,roc_auc_low,roc_auc_high,brier,test_roc_auc,champion"
    assert ",".join(rows[0]) == columns
    assert [row["rank"] for row in rows] == ["1", "2", "3"]
    assert rows[-1]["model"] == "floor"
    assert [row["champion"] for row in rows].count("yes") == 1
    for row in rows:
        cv, test = (artifacts.read_json(f"reports/t/{side}/{row['model']}.json") for side in ("cv", "test"))
        assert row["estimator"] == MODELS[row["model"]]["estimator"]
        assert row["features"] == "columns"
        result = [float(row[name]) for name in ("roc_auc", "roc_auc_low", "roc_auc_high", "brier", "test_roc_auc")]
        assert result == [cv["roc_auc"], *cv["ci"]["roc_auc"], cv["brier_score_loss"], test["roc_auc"]]
        assert (row["champion"] == "yes") == (row["model"] == artifacts.read_json("reports/t/selection.json")["winner"])


def test_of_a_loss_the_smallest_is_first(scored_project):
    write_params(MODELS, metric="log_loss")
    select_best.main("t")
    holdout.main("t")
    losses = [float(row["log_loss"]) for row in board()]
    assert losses == sorted(losses)
    assert list(board()[0])[-2] == "test_log_loss"


def test_undefined_figure_ranks_last_as_empty_cell(scored_project):
    report = artifacts.read_json("reports/t/cv/near.json")
    report["roc_auc"], report["ci"]["roc_auc"] = None, [None, None]
    artifacts.write_json("reports/t/cv/near.json", report)
    holdout.main("t")
    last = board()[-1]
    assert (last["rank"], last["model"], last["roc_auc"], last["roc_auc_low"]) == ("3", "near", "", "")
    assert "- to -" in leaderboard.board("t").splitlines()[4]


def test_of_four_classes_the_column_f1_is_the_macro_average(empty_folder):
    models = {"line": MODELS["line"]}
    write_params(models, metric="f1")
    dataset(*mixed(120, 4)).save(Path("data/t/dev.npz"))
    dataset(*mixed(60, 4, seed=5), folds=0).save(Path("data/t/test.npz"))
    train_and_evaluate(models)
    select_best.main("t")
    holdout.main("t")
    (row,) = board()
    assert float(row["f1"]) == artifacts.read_json("reports/t/cv/line.json")["f1_macro"]
    assert float(row["test_f1"]) == artifacts.read_json("reports/t/test/line.json")["f1_macro"]


def test_without_a_selection_the_test_set_stays_closed(scored_project):
    Path("reports/t/selection.json").unlink()
    shutil.rmtree("reports/t/test")
    Path("data/t/test.npz").write_bytes(b"opened: I am not a data set")
    with pytest.raises(StageError, match=r"reports/t/selection\.json is missing: run 'dvc repro select_best@t'"):
        holdout.main("t")
    assert not Path("reports/t/test").exists()


def test_a_missing_test_set_names_the_stage_that_makes_it(scored_project):
    Path("data/t/test.npz").unlink()
    with pytest.raises(StageError, match=r"data/t/test\.npz is missing: run 'dvc repro preprocess@t'"):
        holdout.main("t")


def test_running_twice_gives_the_same_bytes(scored_project):
    before = {path: path.read_bytes() for path in Path("reports").rglob("*.*")}
    holdout.main("t")
    assert {path: path.read_bytes() for path in Path("reports").rglob("*.*")} == before


def test_reports_name_no_sample(scored_project):
    test = Dataset.load(Path("data/t/test.npz"))
    for path in [*Path("reports/t/test").iterdir(), Path("reports/t/leaderboard.csv")]:
        assert not any(name in path.read_text() for name in [*test.id, *test.path, *test.group])


def test_the_champion_and_the_selection_are_left_as_they_were(scored_project):
    before = {path: path.read_bytes() for path in [*Path("models").rglob("*.*"), Path("reports/t/selection.json")]}
    holdout.main("t")
    assert {path: path.read_bytes() for path in before} == before


def test_images_are_scored_from_features_or_files(empty_folder, tmp_path_factory):
    session = tmp_path_factory.getbasetemp()
    models = {
        "net": {"estimator": "mobilenetv2"},
        "near": {"estimator": "knn", "n_neighbors": 3},
        "colours": {"estimator": "random_forest", "features": "classical", "n_estimators": 10},
    }
    dev = image_project(session, models)
    shutil.copy("data/t/dev.npz", "data/t/test.npz")  # as a test set it is cheating, which here is the point
    use_head(session, "net", dev)
    for name in ("near", "colours"):
        train.main(name)
    evaluate.main("t")
    select_best.main("t")
    holdout.main("t")
    result = {row["model"]: float(row["test_roc_auc"]) for row in board()}
    assert result == {"net": 1, "near": 1, "colours": 1}
    assert {row["model"]: row["features"] for row in board()} == {
        "net": "embedding",
        "near": "embedding",
        "colours": "classical",
    }
    in_keras = artifacts.read_json("reports/t/cv/net.json")["log_loss"]
    assert artifacts.read_json("reports/t/test/net.json")["log_loss"] == pytest.approx(in_keras, abs=1e-4)


# The leaderboard as text


def test_text_leaderboard_marks_champion_and_ends_with_verdict(scored_project):
    title, header, *lines, verdict, promised, about = leaderboard.board("t").splitlines()
    assert title == "t"
    assert header.split("  ")[-1].strip() == "test roc_auc (test set evaluated 3 times or more)"
    selection = artifacts.read_json("reports/t/selection.json")
    assert [verdict.strip(), promised.strip()] == [selection["reason"], selection["promise"]]
    assert about.strip() == f"95 % intervals are for {PROMISE}"
    assert [line.split()[0] for line in lines if line.strip().startswith("*")] == ["*"]
    for line, row in zip(lines, board(), strict=True):
        figures = [f"{float(row[name]):.3f}" for name in ("roc_auc", "roc_auc_low", "roc_auc_high", "brier")]
        shown = f"{figures[0]} {figures[1]} to {figures[2]} {figures[3]} {float(row['test_roc_auc']):.3f}"
        assert " ".join(line.split()).removeprefix("* ") == f"{row['model']} columns {shown}"
        assert line.strip().startswith("*") == (row["model"] == selection["winner"])


def test_a_task_that_has_not_been_run_says_so(tmp_path):
    assert leaderboard.board("t", tmp_path) == "t: not run yet: assay run t\n"


def test_all_tasks_are_printed(scored_project, capsys):
    leaderboard.main()
    assert capsys.readouterr().out.startswith("t\n")


def test_ranks_follow_the_out_of_fold_figure(scored_project):
    write_params(MODELS)
    figures = dict(zip(MODELS, (0.8, 0.7, 0.5), strict=True))
    cv = {
        model: Report({"roc_auc": score, "brier_score_loss": 0.1}, {"roc_auc": [0, 1]})
        for model, score in figures.items()
    }
    test = {model: Report({"roc_auc": score}) for model, score in zip(MODELS, (0.1, 0.2, 0.99), strict=True)}
    table = held_out.rank(cv, test, "near", "roc_auc", "roc_auc")
    assert isinstance(table, pd.DataFrame)
    assert table["model"].tolist() == ["line", "near", "floor"]
    assert table["champion"].tolist() == ["", "yes", ""]


@pytest.fixture
def leaky_project(empty_folder):
    """A project whose labels nothing can predict, of whose shipped test rows most stand in train, too."""
    write_params({"near": {"estimator": "knn", "n_neighbors": 1}})
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["tasks"]["t"]["split"] = content["tasks"]["t"]["split"] | {"by": "shipped"}
    Path("params.yaml").write_text(yaml.safe_dump(content))
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(N_DEV + N_TEST + N_LEAKED, 5)).round(6), columns=list("abcde"))
    y = rng.permutation(np.arange(len(X)) % 2)
    copies = slice(N_DEV + N_TEST, None)
    X.iloc[copies], y[copies] = X.iloc[N_DEV : N_DEV + N_LEAKED].to_numpy(), y[N_DEV : N_DEV + N_LEAKED]
    names = np.array(["benign", "malignant"])[y]
    paths = [f"row {number}" for number in range(len(X))]
    subset = ["dev"] * N_DEV + ["test"] * N_TEST + ["excluded"] * N_LEAKED
    ids = [f"{number:016x}" for number in range(len(X))]
    split = pd.DataFrame({"id": ids, "path": paths, "label": names, "group": ids, "subset": subset})
    split["fold"] = [n % 5 if part == "dev" else "" for n, part in enumerate(subset)]
    split["reason"] = [
        "leak: its image or group is also in the shipped test set" if p == "excluded" else "" for p in subset
    ]
    artifacts.write_csv("data/t/split.csv", split)
    artifacts.write_csv("data/t/scan/samples.csv", split[["id", "path", "label"]])
    artifacts.write_csv("data/t/scan/columns.csv", X)
    leaks = [[paths[N_DEV + n], paths[N_DEV + N_TEST + n]] for n in range(N_LEAKED)]
    artifacts.write_json("data/t/audit.json", {"leaks": leaks})
    dataset(X[:N_DEV], y[:N_DEV]).save(Path("data/t/dev.npz"))
    test = dataset(X[N_DEV : N_DEV + N_TEST], y[N_DEV : N_DEV + N_TEST], folds=0)
    test = Dataset(**vars(test) | {"path": np.array(paths[N_DEV : N_DEV + N_TEST])})
    test.save(Path("data/t/test.npz"))
    train_and_evaluate(["near"])
    select_best.main("t")
    return test


def test_leak_inflates_a_random_model_and_both_figures_are_reported(leaky_project):
    holdout.main("t")
    report = artifacts.read_json("reports/t/test/near.json")
    published = report["as_published"]
    assert published["n_added"] == published["n_leaked"] == N_LEAKED
    assert published["accuracy"] >= N_LEAKED / N_TEST
    assert report["accuracy"] < 0.7
    low, high = published["ci"]["accuracy"]
    assert low <= published["accuracy"] <= high
    assert published["roc_auc"] > report["roc_auc"] + 0.2


def test_the_thrown_away_fit_changes_no_file_of_the_champion(leaky_project):
    before = {path: path.read_bytes() for path in Path("models").rglob("*.*")}
    holdout.main("t")
    assert {path: path.read_bytes() for path in Path("models").rglob("*.*")} == before


def test_without_a_leak_there_is_nothing_to_tell(leaky_project):
    split = pd.read_csv("data/t/split.csv", dtype=str, keep_default_na=False).assign(reason="")
    artifacts.write_csv("data/t/split.csv", split)
    assert as_published("t", "near", leaky_project) is None


def test_a_test_set_drawn_here_has_no_published_figure(leaky_project):
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["tasks"]["t"]["split"]["by"] = "hash"
    Path("params.yaml").write_text(yaml.safe_dump(content))
    assert params.task("t").split.by == "hash"
    assert as_published("t", "near", leaky_project) is None
