"""How often a test set was looked at: everything ever scored on it is counted, once, for ever, without a date."""

import csv
import random
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import holdout, leaderboard, select_best
from pipeline.core import artifacts
from pipeline.core.errors import DataError
from pipeline.evaluation import test_set_evaluations
from pipeline.tracking import run_record
from tests.models import dataset, describe, folder_of, mixed, score, train_and_evaluate, write_params

MODELS = {"floor": {"estimator": "dummy"}, "line": {"estimator": "logreg"}}
FILE = Path("reports/t/test_looks.csv")


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """A table project whose test set has been opened for two models."""
    with folder_of(tmp_path_factory.mktemp("looks")) as folder:
        score(MODELS, n_dev=80, n_test=40)
    return folder


@pytest.fixture
def project(scored, tmp_path, monkeypatch):
    """A copy of the scored project."""
    shutil.copytree(scored, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


def rows():
    with FILE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def try_another(**own):
    """Score the models again after `line` was trained with another value."""
    write_params(MODELS | {"line": MODELS["line"] | own})
    train_and_evaluate(["line"])
    select_best.main("t")
    holdout.main("t")


def test_every_model_scored_is_a_row_under_the_fingerprint_of_its_report(project):
    assert [row["model"] for row in rows()] == ["floor", "line"]
    for row in rows():
        assert row["test"] == artifacts.read_json(f"reports/t/test/{row['model']}.json")["data_fingerprint"]
        assert len(row["candidate"]) == 16
    assert test_set_evaluations.count("t", "line") == 2


def test_running_again_adds_nothing_and_another_candidate_adds_one(project):
    before = FILE.read_bytes()
    holdout.main("t")
    assert FILE.read_bytes() == before
    try_another(C=0.5)
    assert test_set_evaluations.count("t", "line") == 3
    assert set(before.splitlines()) < set(FILE.read_bytes().splitlines())


def test_going_back_to_an_earlier_candidate_is_no_new_look_and_takes_none_back(project):
    first = FILE.read_bytes()
    try_another(C=0.5)
    three = FILE.read_bytes()
    try_another()
    assert FILE.read_bytes() == three != first


def test_another_threshold_is_another_look(project):
    artifacts.write_json("models/t/decisions/line.json", {"threshold": 0.4})
    holdout.main("t")
    assert test_set_evaluations.count("t", "line") == 3


def test_another_test_set_starts_at_its_own_count_and_keeps_the_other(project):
    dataset(*mixed(30, seed=6), folds=0).save(Path("data/t/test.npz"))
    holdout.main("t")
    assert test_set_evaluations.count("t", "line") == 2
    assert len(rows()) == 4


def test_a_model_taken_out_of_the_list_stays_counted(project):
    write_params({"line": MODELS["line"]})
    select_best.main("t")
    holdout.main("t")
    assert test_set_evaluations.count("t", "line") == 2


def test_the_file_is_sorted_and_does_not_depend_on_who_came_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    notes = [("aa", {"m": "1" * 16}), ("bb", {"m": "2" * 16, "n": "1" * 16}), ("aa", {"n": "3" * 16})]
    written = set()
    for order in range(4):
        random.Random(order).shuffle(notes)
        FILE.unlink(missing_ok=True)
        for test, candidates in notes:
            test_set_evaluations.note("t", test, candidates)
        written.add(FILE.read_bytes())
    assert len(written) == 1
    assert FILE.read_text().splitlines() == ["test,model,candidate", *sorted(FILE.read_text().splitlines()[1:])]


def test_the_same_candidate_under_two_names_is_one_look(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    test_set_evaluations.note("t", "aa", {"m": "1" * 16, "n": "1" * 16})
    artifacts.write_json("reports/t/test/m.json", {"data_fingerprint": "aa"})
    assert test_set_evaluations.count("t", "m") == 1
    assert test_set_evaluations.in_words(1) == "at least 1 look"


def test_libraries_and_names_do_not_make_a_candidate_another_one():
    one = describe(files={"model.joblib": "ab"}, versions={"numpy": "1"}, model="a")
    other = replace(one, versions={"numpy": "2"}, model="b")
    assert test_set_evaluations.content_hash(one, {"threshold": 0.5}) == test_set_evaluations.content_hash(
        other, {"threshold": 0.5}
    )
    assert test_set_evaluations.content_hash(
        replace(one, files={"model.joblib": "ac"}), {"threshold": 0.5}
    ) != test_set_evaluations.content_hash(one, {"threshold": 0.5})


def test_a_file_with_the_marks_of_a_conflict_is_refused_before_anything_is_scored(project):
    FILE.write_text(FILE.read_text() + "<<<<<<< HEAD\n")
    shutil.rmtree("reports/t/test")
    with pytest.raises(DataError, match=r"test_looks\.csv: found the line '<<<<<<< HEAD'; expected three cells"):
        holdout.main("t")
    assert not Path("reports/t/test").exists()


def test_git_merges_the_looks_of_two_branches_without_a_conflict(tmp_path, monkeypatch):
    root = Path(__file__).parents[2]
    monkeypatch.chdir(tmp_path)

    def git(*arguments):
        own = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *own, *arguments], check=True, capture_output=True)

    def commit(candidate):
        test_set_evaluations.note("t", "aa", {"m": candidate * 16})
        git("add", "--all")
        git("commit", "-m", candidate)

    git("init", "--initial-branch=main")
    shutil.copy(root / ".gitattributes", ".")
    commit("5")
    git("checkout", "-b", "other")
    commit("7")
    git("checkout", "main")
    commit("3")
    git("merge", "other")
    assert {candidate[0] for _, _, candidate in test_set_evaluations.read(FILE)} == {"3", "5", "7"}


def test_the_count_stands_beside_the_test_figures_in_print(project, capsys):
    holdout.main("t")
    assert capsys.readouterr().err.strip().splitlines()[-1].endswith("], at least 2 looks")
    assert "test roc_auc (at least 2 looks)" in leaderboard.board("t")


def test_runs_in_mlflow_bear_the_count_as_a_tag_which_does_not_make_them_other_runs(project):
    before = {found.model: found.key for found in run_record.read("t")}
    assert run_record.origin(run_record.read("t"))["line"]["test_looks"] == "at least 2 looks"
    test_set_evaluations.note(
        "t", artifacts.read_json("reports/t/test/line.json")["data_fingerprint"], {"other": "f" * 16}
    )
    assert run_record.origin(run_record.read("t"))["line"]["test_looks"] == "at least 3 looks"
    assert {found.model: found.key for found in run_record.read("t")} == before


def test_without_the_file_nothing_is_claimed(project):
    FILE.unlink()
    assert "test_looks" not in run_record.origin(run_record.read("t"))["line"]
    assert test_set_evaluations.count("t", "line") == 0
    assert "look" not in leaderboard.board("t")
