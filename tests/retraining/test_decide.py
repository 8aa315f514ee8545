"""Decisions about a batch, with a `dvc repro` that does nothing; the graph itself runs in tests/e2e."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.core import artifacts, params
from pipeline.core.errors import DataError, ParamsError
from pipeline.core.params_models import RetrainParams
from pipeline.core.paths import TaskPaths
from pipeline.data import upload_ledger, uploads
from pipeline.data.uploads import Included
from pipeline.retraining import batch_status, decide, dvc_runs, sandbox
from pipeline.retraining.batch_status import RetrainError
from pipeline.tracking import mirror
from tests.helpers.comparisons import make_comparison
from tests.helpers.samples import content, task


def compared(passed: bool, **changes: object) -> None:
    """Write a comparison of the batch."""
    hashes = [f"{k:016x}" for k in (1, 2)]
    facts = {"champion": {"bundle": "old"}, "hashes": hashes, "passed": passed, "recommendation": "Said."}
    compared = replace(make_comparison(), **facts | changes)
    artifacts.write_json(batch_status.folder("skin", "b") / "comparison.json", compared)


def repro_gives(monkeypatch, code: int, status: int | None = None) -> Path:
    """Let `dvc repro` do nothing and end with `code`, other DVC commands with `status`; return the list of what was repro's."""
    ran = Path("ran.txt")
    program = (
        f"import sys; open({str(ran)!r}, 'a').write(sys.argv[-1] + '\\n'); print('ERROR: it broke'); sys.exit({code})"
    )
    monkeypatch.setattr(dvc_runs, "DVC", (sys.executable, "-c", program))

    def run(command, **_):
        return type("Done", (), {"returncode": code if status is None else status, "stderr": "", "stdout": ""})

    monkeypatch.setattr(dvc_runs.subprocess, "run", run)
    return ran


def test_a_rollback_restores_the_bytes_before_the_promotion(uploaded, monkeypatch):
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
    assert ran.read_text().split() == ["--keep-going"] * 2
    decisions = [(line.event, line.who, line.by) for line in upload_ledger.read("skin")[2:]]
    assert decisions == [("promoted", "me", "the gate"), ("rolled back", "me", None)]


def test_only_force_promotes_what_the_gate_stops(uploaded, monkeypatch):
    repro_gives(monkeypatch, 0)
    compared(False)
    with pytest.raises(decide.NotPromoted, match=r"Said\. The champion stays") as caught:
        decide.promote("skin", "b", "me")
    assert caught.value.exit_code == 3
    assert uploads.read("skin") == []
    decide.promote("skin", "b", "me", force=True)
    assert upload_ledger.read("skin")[-1].by == "a person"


def test_an_outdated_comparison_does_not_count(uploaded, monkeypatch):
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


def test_a_failed_graph_decides_nothing(uploaded, monkeypatch):
    repro_gives(monkeypatch, 1)
    compared(True)
    before = TaskPaths("skin").included.read_bytes()
    with pytest.raises(RetrainError, match=r"'dvc repro' failed, so nothing was decided.* it broke"):
        decide.promote("skin", "b", "me")
    assert TaskPaths("skin").included.read_bytes() == before
    assert upload_ledger.decision("skin", "b") == ""
    assert batch_status.status("skin", "b").state == "failed"


def test_a_rejected_batch_stays_stored_and_cannot_be_promoted(uploaded):
    compared(True)
    decide.reject("skin", "b", "me")
    assert len(upload_ledger.samples("skin", "b")) == 2
    with pytest.raises(RetrainError, match="was rejected already"):
        decide.promote("skin", "b", "me")
    (batch,) = decide.batches("skin")
    assert (batch.batch, batch.n, batch.labels, batch.state) == ("b", 2, {"a": 2}, "rejected")


def test_an_unknown_batch_is_reported_with_those_that_exist(uploaded):
    with pytest.raises(DataError, match="task skin has no batch 'c'; it has: b"):
        decide.try_batch("skin", "c")


def test_a_decision_stands_when_mlflow_fails(uploaded, monkeypatch, capsys):
    repro_gives(monkeypatch, 0)
    compared(True)

    def broken(task):
        raise ModuleNotFoundError("No module named 'mlflow'")

    monkeypatch.setattr(mirror, "track_decisions", broken)
    decide.promote("skin", "b", "me")
    assert upload_ledger.decision("skin", "b") == "promoted"
    assert "decided and in the ledger, but not yet in MLflow: ModuleNotFoundError" in capsys.readouterr().err


def test_a_failure_after_the_report_undoes_no_decision(uploaded, monkeypatch, capsys):
    """As the stage `track` does where the store is locked; dvc status of the report then finds nothing to do."""
    repro_gives(monkeypatch, 1, status=0)
    compared(True)
    decide.promote("skin", "b", "me")
    assert len(uploads.read("skin")) == 2
    assert "but not all of the graph: run 'dvc repro' again (ERROR: it broke)" in capsys.readouterr().err


def test_a_killed_rollback_continues_with_the_same_batch(uploaded, monkeypatch):
    repro_gives(monkeypatch, 0)
    uploads.write("skin", [Included("f" * 16, "a", "", "earlier")])
    batch_status.write("skin", "b", "rolling back")  # b was taken out of included.csv, and nothing came after
    assert decide.rollback("skin", "me") == "b"
    assert [row.batch for row in uploads.read("skin")] == ["earlier"]
    assert decide.rollback("skin", "me") == "earlier"


def test_a_killed_promotion_continues_and_cannot_become_a_rejection(uploaded, monkeypatch):
    repro_gives(monkeypatch, 0)
    compared(True)
    uploads.write("skin", sandbox.rows_of("skin", "b"))
    batch_status.write("skin", "b", "promoting")
    with pytest.raises(RetrainError, match="its promotion was interrupted"):
        decide.reject("skin", "b", "me")
    decide.promote("skin", "b", "me")
    assert upload_ledger.decision("skin", "b") == "promoted"
    assert len(uploads.read("skin")) == 2


def test_the_gate_is_validated_with_params(uploaded):
    from pipeline.tasks import validate

    validate.check(content(task()) | {"retrain": {"margin": 0.1, "guarded": ["roc_auc"]}})
    for block, reason in (
        ({"margin": 2}, "retrain.margin"),
        ({"guarded": ["luck"]}, "retrain.guarded"),
        ({"x": 1}, "x"),
    ):
        with pytest.raises(ParamsError, match=reason):
            validate.check(content(task()) | {"retrain": block})
    assert decide.rule() == RetrainParams()
    assert params.load().get("retrain") is None
