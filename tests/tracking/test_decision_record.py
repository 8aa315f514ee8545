"""Decisions about batches as runs of their own experiment."""

from pipeline.data import upload_ledger
from pipeline.data.upload_ledger import Collected, Compared, Decided
from pipeline.tracking import mirror
from tests.helpers.tracked import SECRET, client_of, runs_of, start_track


def decide(*events: str) -> None:
    """Write decisions about the batch `june` of three samples into the ledger, after a comparison."""
    with upload_ledger.locked("rows"):
        for k in range(3):
            line = Collected(id=f"{k:016x}", label="benign", group=SECRET, batch="june", who="w", source="s")
            upload_ledger.append("rows", line)
        differences = {"roc_auc": [0.01, -0.005, 0.03], "f1": [None, None, None]}
        compared = Compared(batch="june", passed=True, recommendation="Promote: it is better.", differences=differences)
        upload_ledger.append("rows", compared)
        for event in events:
            line = Decided(event=event, batch="june", who="me", champion="ab" * 32, by="the gate")
            upload_ledger.append("rows", line)


def decisions_of(folder) -> list:
    client = client_of(folder)
    choice = client.search_runs([client.get_experiment_by_name("rows decisions").experiment_id])
    return sorted(choice, key=lambda run: run.info.run_name)


def test_every_decision_is_one_run_of_its_own_experiment(small, empty_store):
    decide("promoted", "rolled back")
    mirror.track_decisions("rows")
    mirror.track_decisions("rows")
    promoted, back = decisions_of(small)
    assert [run.info.run_name for run in (promoted, back)] == ["promoted june", "rolled back june"]
    assert promoted.info.status == "FINISHED"
    assert promoted.data.metrics == {
        "n_samples": 3, "difference_roc_auc": 0.01, "difference_roc_auc_low": -0.005, "difference_roc_auc_high": 0.03,
    }  # fmt: skip
    tags = {
        "decision": "promoted",
        "batch": "june",
        "who": "me",
        "by": "the gate",
        "passed": "yes",
        "champion": "ab" * 32,
    }
    assert promoted.data.tags.items() >= (tags | {"mlflow.note.content": "Promote: it is better."}).items()
    assert client_of(small).get_experiment_by_name("rows") is None  # of models alone
    before = [(run.info.start_time, run.data.tags["content_key"]) for run in (promoted, back)]
    done = start_track(small)  # another process: see `track_in`
    log = done.communicate(timeout=60)[1]
    assert done.returncode == 0, log
    assert [(run.info.start_time, run.data.tags["content_key"]) for run in decisions_of(small)] == before
    assert {run.info.run_name for run in runs_of(small)} == {"rows-a", "rows-b"}
    assert not [
        path for path in (small / "mlflow").rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()
    ]


def test_a_removed_task_takes_its_decisions_along(small):
    decide("rejected")
    mirror.track()
    assert len(decisions_of(small)) == 1
    assert mirror.forget("rows")
    client = client_of(small)
    assert client.get_experiment_by_name("rows decisions") is None
    assert client.get_experiment_by_name("rows") is None
