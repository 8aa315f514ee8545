"""An audit's result is what audit.json holds."""

from pipeline.core import artifacts
from pipeline.core.paths import TaskPaths
from pipeline.data.audit_result import AuditResult, Clusters, EqualRowCounts, PathPair, Shortcut
from pipeline.data.folders.sample_files import Skipped

PAIR = PathPair("a.png", "b.png", kind="resized", score=0.97, copy=True)
PAIR_JSON = {"a": "a.png", "b": "b.png", "kind": "resized", "score": 0.97, "copy": True}
RESULT = AuditResult(
    n_files=4,
    n_unreadable=1,
    groups=[["a.png", "b.png"]],
    unreadable=[Skipped("c.png", "is no file")],
    confounders=[Shortcut("width", accuracy=0.9, majority=0.5, roc_auc=0.95)],
    pairs=[PAIR],
    uploads=[PAIR],
)


def test_a_result_survives_audit_json(tmp_path):
    artifacts.write_json(TaskPaths("t", tmp_path).audit, RESULT.to_json())
    assert AuditResult.read("t", tmp_path) == RESULT


def test_the_keys_of_audit_json_are_those_of_the_contract():
    content = RESULT.to_json()
    assert content["pairs"] == content["uploads"] == [PAIR_JSON]
    assert content["unreadable"] == [{"path": "c.png", "reason": "is no file"}]
    assert content["confounders"] == [{"name": "width", "accuracy": 0.9, "majority": 0.5, "roc_auc": 0.95}]
    counts, lists = (
        {"n_files", "n_unreadable", "n_leaked"},
        {"groups", "leaks", "label_conflicts", "unjudged", "skipped"},
    )
    assert content.keys() == counts | lists | {"unreadable", "confounders", "pairs", "uploads"}


def test_findings_of_tables_survive_audit_json(tmp_path):
    result = AuditResult(
        clusters=Clusters(0.6, 0.05, ["a", "b"]),
        equal_rows=EqualRowCounts(9, 8, 7.5, 2),
        divided_groups=["p"],
        conflicts_kept=True,
    )
    artifacts.write_json(TaskPaths("t", tmp_path).audit, result.to_json())
    assert AuditResult.read("t", tmp_path) == result


def test_without_uploads_audit_json_has_no_such_key():
    assert "uploads" not in AuditResult().to_json()
