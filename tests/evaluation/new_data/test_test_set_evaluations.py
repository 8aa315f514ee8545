"""How often a test set was looked at: everything ever scored on it is counted, once, for ever, without a date."""

import csv
import random
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pytest

from pipeline import holdout, leaderboard, select_best
from pipeline.core import artifacts
from pipeline.core.errors import DataError
from pipeline.evaluation.new_data import test_set_evaluations
from pipeline.evaluation.report import read_cv
from pipeline.prediction.decision_rule import Calibration, DecisionRule
from pipeline.tracking import run_record
from pipeline.training.candidate import Candidate, Tuned
from tests.helpers.models import THREE_MODELS as MODELS
from tests.helpers.models import dataset, mixed, train_and_evaluate, write_params

FILE = Path("reports/t/test_looks.csv")


def rows():
    with FILE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ids(**digits):
    """Return the ids of candidates whose hash is one digit, by model."""
    return {model: test_set_evaluations.CandidateId(digit * 16) for model, digit in digits.items()}


def try_another(**own):
    """Score the models again after `line` was trained with another value."""
    write_params(MODELS | {"line": MODELS["line"] | own})
    train_and_evaluate(["line"])
    select_best.main("t")
    holdout.main("t")


def test_each_scored_model_is_a_row(scored_project):
    assert [row["model"] for row in rows()] == ["floor", "line", "near"]
    for row in rows():
        assert row["test"] == artifacts.read_json(f"reports/t/test/{row['model']}.json")["data_fingerprint"]
        assert len(row["candidate"]) == 16
    assert test_set_evaluations.count("t", "line") == 3


def test_running_again_adds_nothing_and_another_candidate_adds_one(scored_project):
    before = FILE.read_bytes()
    holdout.main("t")
    assert FILE.read_bytes() == before
    try_another(C=0.5)
    assert test_set_evaluations.count("t", "line") == 4
    assert set(before.splitlines()) < set(FILE.read_bytes().splitlines())


def test_earlier_candidate_changes_no_count(scored_project):
    first = FILE.read_bytes()
    try_another(C=0.5)
    three = FILE.read_bytes()
    try_another()
    assert FILE.read_bytes() == three != first


def stored():
    """Return the candidate, the decision rule and the out-of-fold report of `line`."""
    candidate = Candidate.read(Path("models/t/candidates/line"))
    return [candidate, DecisionRule.read("t", "line"), read_cv("t", "line")]


def test_last_bits_of_a_model_make_no_new_row(scored_project):
    before, path = FILE.read_bytes(), Path("models/t/candidates/line/model.joblib")
    model = joblib.load(path)
    model[-1].coef_ = np.nextafter(model[-1].coef_, np.inf)
    joblib.dump(model, path)
    candidate = stored()[0]
    changed = candidate.files | {path.name: artifacts.sha256(path.read_bytes())}
    assert changed != candidate.files
    replace(candidate, files=changed).write(path.parent)
    holdout.main("t")
    assert FILE.read_bytes() == before


def test_a_renamed_model_makes_no_new_row(scored_project):
    before = FILE.read_bytes()
    write_params({"floor": MODELS["floor"], "renamed": MODELS["line"]})
    train_and_evaluate(["renamed"])
    select_best.main("t")
    holdout.main("t")
    assert FILE.read_bytes() == before


def test_a_row_of_the_former_hash_is_replaced(scored_project):
    ids = test_set_evaluations.identify(*stored())
    before = FILE.read_bytes()
    FILE.write_bytes(before.replace(ids.hash.encode(), ids.former.encode()))
    assert FILE.read_bytes() != before
    holdout.main("t")
    assert FILE.read_bytes() == before


@pytest.mark.parametrize(
    ("part", "change"),
    [
        (0, {"estimator": "knn"}),
        (0, {"features": "embedding"}),
        (0, {"hyperparameters": {"C": 2.0}}),
        (0, {"tuned": Tuned({"C": 2.0}, [], [])}),
        (0, {"data_fingerprint": "ab"}),
        (0, {"classes": ["a", "b"]}),
        (1, {"calibration": Calibration("sigmoid")}),
        (1, {"chosen_for": "a sensitivity of at least 0.9"}),
        (1, {"threshold": 0.4}),
        (2, {"figures": {"log_loss": 0.1, "roc_auc": 0.8}}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_determines_a_candidate_makes_another_one(scored_project, part, change):
    parts = stored()
    before = test_set_evaluations.content_hash(*parts)
    parts[part] = replace(parts[part], **change)
    assert test_set_evaluations.content_hash(*parts) != before


@pytest.mark.parametrize(
    ("part", "change"),
    [(0, {"versions": {}}), (0, {"model": "b"}), (0, {"files": {}}), (1, {"refusal": 9.0})],
    ids=["versions", "name", "files", "refusal"],
)
def test_names_and_versions_make_no_other_candidate(scored_project, part, change):
    parts = stored()
    before = test_set_evaluations.content_hash(*parts)
    parts[part] = replace(parts[part], **change)
    assert test_set_evaluations.content_hash(*parts) == before


def test_another_threshold_is_another_look(scored_project):
    artifacts.write_json("models/t/decisions/line.json", {"threshold": 0.4})
    holdout.main("t")
    assert test_set_evaluations.count("t", "line") == 4


def test_each_test_set_has_its_own_count(scored_project):
    dataset(*mixed(30, seed=6), folds=0).save(Path("data/t/test.npz"))
    holdout.main("t")
    assert test_set_evaluations.count("t", "line") == 3
    assert len(rows()) == 6


def test_a_model_taken_out_of_the_list_stays_counted(scored_project):
    write_params({"line": MODELS["line"]})
    select_best.main("t")
    holdout.main("t")
    assert test_set_evaluations.count("t", "line") == 3


def test_file_is_sorted_whatever_came_first(empty_folder):
    notes = [("aa", ids(m="1")), ("bb", ids(m="2", n="1")), ("aa", ids(n="3"))]
    written = set()
    for order in range(4):
        random.Random(order).shuffle(notes)
        FILE.unlink(missing_ok=True)
        for test, candidates in notes:
            test_set_evaluations.note("t", test, candidates)
        written.add(FILE.read_bytes())
    assert len(written) == 1
    assert FILE.read_text().splitlines() == ["test,model,candidate", *sorted(FILE.read_text().splitlines()[1:])]


def test_the_same_candidate_under_two_names_is_one_look(empty_folder):
    test_set_evaluations.note("t", "aa", ids(m="1", n="1"))
    artifacts.write_json("reports/t/test/m.json", {"data_fingerprint": "aa"})
    assert test_set_evaluations.count("t", "m") == 1
    assert test_set_evaluations.in_words(1) == "test set evaluated once or more"


def test_conflict_marks_are_refused_before_scoring(scored_project):
    FILE.write_text(FILE.read_text() + "<<<<<<< HEAD\n")
    shutil.rmtree("reports/t/test")
    with pytest.raises(DataError, match=r"test_looks\.csv: found the line '<<<<<<< HEAD'; expected three cells"):
        holdout.main("t")
    assert not Path("reports/t/test").exists()


def test_git_merges_the_looks_of_two_branches_without_a_conflict(tmp_path, monkeypatch):
    root = Path(__file__).parents[3]
    monkeypatch.chdir(tmp_path)

    def git(*arguments):
        own = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *own, *arguments], check=True, capture_output=True)

    def commit(digit):
        test_set_evaluations.note("t", "aa", ids(m=digit))
        git("add", "--all")
        git("commit", "-m", digit)

    git("init", "--initial-branch=main")
    shutil.copy(root / ".gitattributes", ".")
    commit("5")
    git("checkout", "-b", "other")
    commit("7")
    git("checkout", "main")
    commit("3")
    git("merge", "other")
    assert {digits[0] for _, _, digits in test_set_evaluations.read(FILE)} == {"3", "5", "7"}


def test_the_count_stands_beside_the_test_figures_in_print(scored_project, capsys):
    holdout.main("t")
    assert capsys.readouterr().err.strip().splitlines()[-1].endswith("], test set evaluated 3 times or more")
    assert "test roc_auc (test set evaluated 3 times or more)" in leaderboard.board("t")


def test_mlflow_tag_of_the_count_changes_no_run(scored_project):
    before = {record.model: record.key for record in run_record.read_records("t")}
    assert (
        run_record.tags_of_origin(run_record.read_records("t"))["line"]["test_looks"]
        == "test set evaluated 3 times or more"
    )
    test_set_evaluations.note("t", artifacts.read_json("reports/t/test/line.json")["data_fingerprint"], ids(other="f"))
    assert (
        run_record.tags_of_origin(run_record.read_records("t"))["line"]["test_looks"]
        == "test set evaluated 4 times or more"
    )
    assert {record.model: record.key for record in run_record.read_records("t")} == before


def test_without_the_file_nothing_is_claimed(scored_project):
    FILE.unlink()
    assert "test_looks" not in run_record.tags_of_origin(run_record.read_records("t"))["line"]
    assert test_set_evaluations.count("t", "line") == 0
    assert "evaluated" not in leaderboard.board("t")
