"""The gate, the comparison and the decisions, on made-up development sets; the graph itself runs in tests/e2e."""

import json
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from pipeline import retrain
from pipeline.core import artifacts, params
from pipeline.core.errors import DataError, ParamsError
from pipeline.core.params import RetrainParams
from pipeline.core.paths import TaskPaths
from pipeline.data import upload_ledger, uploads
from pipeline.data.uploads import Included
from pipeline.retraining import comparison, decide, recommendation, sandbox
from pipeline.retraining.comparison import Side
from pipeline.retraining.sandbox import RetrainError
from pipeline.tracking import mirror
from tests.models import dataset, numbers
from tests.samples import content, task, write_params

RULE = RetrainParams()


def side(quality: float, n: int = 300, seed: int = 1, more: int = 0) -> Side:
    """Return a made-up model on n development samples, and `more` that the other side does not have."""
    X, y = numbers(n + more)
    dev = dataset(X, y)
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-(quality * (2 * y - 1) + rng.normal(size=n + more))))
    proba = np.column_stack([1 - p, p])
    return Side("m", "b", dev, proba, proba, (p >= 0.5).astype(int))


def judged(champion: Side, challenger: Side, rule: RetrainParams = RULE) -> tuple[list[str], str, dict]:
    """Return the failed metrics, the sentence and the differences."""
    overall, _ = comparison.differences(champion, challenger.on(champion.dev), 300, 7)
    failed = comparison.gate(overall, ["roc_auc", "balanced_accuracy"], rule.margin)
    return failed, recommendation.recommendation(overall, "roc_auc", failed, len(champion.dev.y), rule), overall


def test_a_better_model_passes_and_is_said_to_be_better():
    failed, sentence, overall = judged(side(0.8), side(2.0, more=40))
    assert failed == []
    assert sentence.startswith("Promote: it is better on the champion's 300 development samples: roc_auc ")
    assert overall["roc_auc"]["difference"] > 0.05


def test_the_same_model_passes_and_its_differences_are_nothing():
    failed, sentence, overall = judged(side(1.0), side(1.0))
    assert failed == []
    assert "it is not worse by more than 0.02" in sentence
    assert all(one["difference"] == 0 and one["ci"] == [0, 0] for one in overall.values())


def test_a_worse_model_and_one_of_which_too_little_is_known_do_not_pass():
    failed, sentence, _ = judged(side(2.0), side(0.8))
    assert failed == ["roc_auc", "balanced_accuracy"]
    assert sentence.startswith("Do not promote: it may be worse by more than 0.02 on the champion's 300")
    assert judged(side(1.0, 40), side(1.0, 40, seed=2))[0]  # as good, but of 40 samples nobody can tell


def test_of_a_metric_that_should_be_small_more_is_worse():
    overall = {"brier_score_loss": {"ci": [0.0, 0.05]}, "roc_auc": {"ci": [0.0, 0.05]}}
    assert comparison.gate(overall, list(overall), 0.02) == ["brier_score_loss"]
    assert comparison.gate({"roc_auc": {"ci": [float("nan")] * 2}}, ["roc_auc"], 0.02) == ["roc_auc"]


def test_only_the_champions_own_samples_count_in_whatever_order_and_with_whatever_classes_first():
    champion, challenger = side(1.0), side(1.5, more=100)
    turned = np.random.default_rng(0).permutation(400)
    dev = challenger.dev
    swapped = type(dev)(
        dev.id[turned], dev.path[turned], dev.group[turned], 1 - dev.y[turned], dev.fold[turned], dev.classes[::-1], {}
    )
    proba = challenger.proba[turned][:, ::-1]
    other = Side("m", "b", swapped, proba, proba, 1 - challenger.decided[turned])
    assert judged(champion, other) == judged(champion, challenger)


def test_subgroups_are_compared_by_their_own_samples_paired():
    champion, challenger = side(1.0), side(1.5)
    values = np.where(np.arange(300) < 290, "many", "few")
    few, many = comparison.of_subgroups(champion, challenger, {"site": (values, ["few", "many"])}, 200, 7)
    assert [(one["value"], one["n"], one["few"]) for one in (few, many)] == [("few", 10, True), ("many", 290, False)]
    at = np.flatnonzero(values == "many")
    right = [(one.decided[at] == champion.dev.y[at]).mean() for one in (champion, challenger)]
    found = many["metrics"]["accuracy"]
    assert [found["champion"], found["challenger"]] == pytest.approx(right)
    assert found["ci"][0] <= found["difference"] <= found["ci"][1]
    (alone,) = comparison.of_subgroups(champion, challenger, {"y": (champion.dev.y.astype(str), ["1"])}, 200, 7)
    assert np.isnan(alone["metrics"]["roc_auc"]["difference"])  # of one class


def test_a_challenger_that_lacks_one_of_the_champions_samples_is_refused():
    with pytest.raises(DataError, match=r"100 development samples, the first 300\.png"):
        side(1.0).on(side(1.0, more=100).dev)


# Decisions


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A working folder with a task `skin`, a champion of made-up bytes and a batch of two samples."""
    monkeypatch.chdir(tmp_path)
    write_params(task())
    artifacts.write_json("reports/skin/selection.json", {"bundle": "old"})
    uploads.create("skin")
    with upload_ledger.locked("skin"):
        for k in (2, 1):
            upload_ledger.append(
                "skin", "collected", id=f"{k:016x}", label="a", group="", batch="b", who="w", source="test"
            )
    monkeypatch.setattr(sandbox, "cache_folder", lambda: "/cache")
    monkeypatch.setattr(mirror, "track_decisions", lambda task: None)  # see tests/tracking/test_mirror.py
    return tmp_path


def compared(passed: bool, **changes: object) -> None:
    """Write a comparison of the batch."""
    facts = {"champion": {"bundle": "old"}, "hashes": [f"{k:016x}" for k in (1, 2)], "passed": passed}
    artifacts.write_json(sandbox.folder("skin", "b") / "comparison.json", facts | {"recommendation": "Said."} | changes)


def repro_gives(monkeypatch, code: int) -> list[list[str]]:
    """Let `dvc repro` do nothing and end with `code`; return the commands that were run."""
    ran: list[list[str]] = []

    def run(command, **_):
        ran.append(list(command[3:]))
        return type("Done", (), {"returncode": code, "stderr": "ERROR: it broke", "stdout": ""})

    monkeypatch.setattr(retrain.subprocess, "run", run)
    return ran


def test_promoting_appends_the_batch_sorted_and_rolling_back_gives_the_old_bytes(project, monkeypatch):
    ran = repro_gives(monkeypatch, 0)
    uploads.write("skin", [Included("f" * 16, "a", "g,1", "earlier")])
    before = TaskPaths("skin").included.read_bytes()
    compared(True)
    decide.promote("skin", "b", "me")
    assert [row.hash for row in uploads.read("skin")] == ["f" * 16, f"{1:016x}", f"{2:016x}"]
    assert TaskPaths("skin").included.read_bytes().startswith(before)
    with pytest.raises(RetrainError, match="promoted already"):
        decide.promote("skin", "b", "me")
    assert decide.rollback("skin", "me") == "b"
    assert TaskPaths("skin").included.read_bytes() == before
    assert ran == [["repro"]] * 2
    events = [(line["event"], line.get("who"), line.get("by")) for line in upload_ledger.read("skin")][2:]
    assert events == [("promoted", "me", "the gate"), ("rolled back", "me", None)]


def test_what_the_gate_stops_is_promoted_by_force_alone_and_the_ledger_says_by_whom(project, monkeypatch):
    repro_gives(monkeypatch, 0)
    compared(False)
    with pytest.raises(decide.NotPromoted, match=r"Said\. The champion stays") as caught:
        decide.promote("skin", "b", "me")
    assert caught.value.exit_code == 3
    assert uploads.read("skin") == []
    decide.promote("skin", "b", "me", force=True)
    assert upload_ledger.read("skin")[-1]["by"] == "a person"


def test_a_comparison_of_another_champion_or_of_other_samples_does_not_count(project, monkeypatch):
    repro_gives(monkeypatch, 0)
    with pytest.raises(RetrainError, match="has not been compared"):
        decide.promote("skin", "b", "me")
    compared(True, champion={"bundle": "older"})
    with pytest.raises(RetrainError, match="compared with an earlier champion"):
        decide.promote("skin", "b", "me")
    compared(True, hashes=[f"{1:016x}"])
    with pytest.raises(RetrainError, match="has other samples than were compared"):
        decide.promote("skin", "b", "me")
    assert uploads.read("skin") == []


def test_a_graph_that_fails_leaves_included_csv_as_it_was_and_decides_nothing(project, monkeypatch):
    repro_gives(monkeypatch, 1)
    compared(True)
    before = TaskPaths("skin").included.read_bytes()
    with pytest.raises(RetrainError, match=r"'dvc repro' failed, so nothing was decided.* it broke"):
        decide.promote("skin", "b", "me")
    assert TaskPaths("skin").included.read_bytes() == before
    assert upload_ledger.decision("skin", "b") == ""
    assert sandbox.status("skin", "b")["state"] == "failed"


def test_a_rejected_batch_stays_stored_and_cannot_be_promoted(project):
    compared(True)
    decide.reject("skin", "b", "me")
    assert len(upload_ledger.samples("skin", "b")) == 2
    with pytest.raises(RetrainError, match="was rejected already"):
        decide.promote("skin", "b", "me")
    (one,) = decide.batches("skin")
    assert (one["batch"], one["n"], one["labels"], one["state"]) == ("b", 2, {"a": 2}, "rejected")


def test_a_batch_that_is_not_there_is_named_with_those_that_are(project):
    with pytest.raises(DataError, match="task skin has no batch 'c'; it has: b"):
        decide.try_batch("skin", "c")


def test_what_a_killed_process_was_doing_is_said_to_be_interrupted(project):
    sandbox.say("skin", "b", "running", stage="scan@skin", done=1, total=9, seconds_left=5)
    assert sandbox.status("skin", "b")["state"] == "interrupted"
    with FileLock(sandbox.LOCK):
        assert sandbox.status("skin", "b")["state"] == "running"
        assert decide.batches("skin")[0]["says"] == "scan@skin, 1 of 9, about 5 s left"
        with pytest.raises(RetrainError, match="another challenge or decision runs"):
            decide.reject("skin", "b", "me")


def test_a_decision_stands_whatever_mlflow_does_and_it_is_said(project, monkeypatch, capsys):
    repro_gives(monkeypatch, 0)
    compared(True)

    def broken(task):
        raise ModuleNotFoundError("No module named 'mlflow'")

    monkeypatch.setattr(mirror, "track_decisions", broken)
    decide.promote("skin", "b", "me")
    assert upload_ledger.decision("skin", "b") == "promoted"
    assert "decided, and in the ledger, but not yet in MLflow: ModuleNotFoundError" in capsys.readouterr().err


def test_a_graph_that_fails_behind_the_report_alone_undoes_no_decision(project, monkeypatch, capsys):
    """As the stage `track` does where the store is locked; dvc status of the report then finds nothing to do."""

    def run(command, **_):
        return type("Done", (), {"returncode": int("repro" in command), "stderr": "ERROR: track broke", "stdout": ""})

    monkeypatch.setattr(retrain.subprocess, "run", run)
    compared(True)
    decide.promote("skin", "b", "me")
    assert len(uploads.read("skin")) == 2
    assert "but not all of the graph: run 'dvc repro' again (ERROR: track broke)" in capsys.readouterr().err


def test_a_rollback_that_was_killed_goes_on_instead_of_taking_out_one_batch_more(project, monkeypatch):
    repro_gives(monkeypatch, 0)
    uploads.write("skin", [Included("f" * 16, "a", "", "earlier")])
    sandbox.say("skin", "b", "rolling back")  # b was taken out of included.csv, and nothing came after
    assert decide.rollback("skin", "me") == "b"
    assert [row.batch for row in uploads.read("skin")] == ["earlier"]
    assert decide.rollback("skin", "me") == "earlier"


def test_a_promotion_that_was_killed_goes_on_and_cannot_become_a_rejection(project, monkeypatch):
    repro_gives(monkeypatch, 0)
    compared(True)
    uploads.write("skin", sandbox.rows_of("skin", "b"))
    sandbox.say("skin", "b", "promoting")
    with pytest.raises(RetrainError, match="its promotion was interrupted"):
        decide.reject("skin", "b", "me")
    decide.promote("skin", "b", "me")
    assert upload_ledger.decision("skin", "b") == "promoted"
    assert len(uploads.read("skin")) == 2


# The copy


def test_the_copy_holds_the_project_with_the_batch_and_links_to_data_that_are_only_read(project):
    for file in (
        "raw/a/1.png",
        ".cache/features/scan.sqlite",
        "data/uploads/skin/pictures/x.png",
        "pipeline/a.py",
        "dvc.yaml",
    ):
        artifacts.write_bytes(file, b"x")
    uploads.write("skin", [Included(f"{1:016x}", "a", "", "earlier")])
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    sandbox.prepare("skin", "b")
    tree = sandbox.TREE
    assert (tree / "pipeline/a.py").read_bytes() == b"x"
    rows = (TaskPaths("skin", tree).included).read_text().splitlines()
    assert rows == ["hash,label,group,batch", f"{1:016x},a,,earlier", f"{2:016x},a,,b"]
    for linked in ("raw", ".cache/features", "data/uploads/skin/pictures"):
        assert (tree / linked).resolve() == (project / linked).resolve()
    assert "dir = /cache" in (tree / ".dvc/config.local").read_text()
    assert {path: path.read_bytes() for path in before} == before
    sandbox.remove_tree("skin", "another")
    assert tree.exists()
    sandbox.remove_tree("skin", "b")
    assert not tree.exists()
    assert (project / "raw/a/1.png").exists()


def test_raw_data_outside_of_the_project_have_to_be_named_absolutely(project):
    write_params(task(raw="../../elsewhere"))
    with pytest.raises(DataError, match="name it by its absolute path"):
        sandbox.prepare("skin", "b")


def test_stages_are_counted_from_what_dvc_says_and_their_time_from_what_they_took_last(project):
    Path("log.txt").write_text(
        "Stage 'check' didn't change, skipping\nRunning stage 'scan@skin':\n> python\nRunning stage 'au"
    )
    assert sandbox.stages_in(Path("log.txt")) == ["check", "scan@skin"]
    names = sandbox.stages_of("skin")
    assert names == [
        "check", "backbone", "scan@skin", "audit@skin", "split@skin", "preprocess@skin",
        "train@skin-dummy", "evaluate@skin-dummy", "select_best@skin",
    ]  # fmt: skip
    lines = [{"stage": "scan", "key": "skin", "seconds": s} for s in (9, 2.5)] + [
        {"stage": "check", "key": "", "seconds": 1}
    ]
    artifacts.write_bytes("logs/timings.jsonl", "".join(json.dumps(line) + "\n" for line in lines).encode())
    assert sandbox.durations() == {"scan@skin": 2.5, "check": 1}


def test_the_gate_is_checked_with_all_of_params(project):
    from pipeline.tasks import validate

    validate.check(content(task()) | {"retrain": {"margin": 0.1, "guarded": ["roc_auc"]}})
    for block, reason in (
        ({"margin": 2}, "retrain.margin"),
        ({"guarded": ["luck"]}, "retrain.guarded"),
        ({"x": 1}, "x"),
    ):
        with pytest.raises(ParamsError, match=reason):
            validate.check(content(task()) | {"retrain": block})
    assert decide.rule() == RULE
    assert params.load().get("retrain") is None
