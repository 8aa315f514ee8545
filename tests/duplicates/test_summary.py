"""What an audit found, in words and as an exit code."""

from dataclasses import replace

import pandas as pd
import pytest

from pipeline.core import artifacts
from pipeline.core.errors import FindingError
from pipeline.core.paths import TaskPaths
from pipeline.core.read_params import ReadParams
from pipeline.data.audit_result import AuditResult, Clusters, EqualRowCounts, PathPair, Shortcut
from pipeline.duplicates.summary import (
    CLEAN,
    FOUND,
    ROWS,
    about_unknown_groups,
    crosses,
    exit_code,
    ranked,
    require_groups,
    summary,
    table,
    warnings,
)

SAMPLES = pd.DataFrame(
    [(f"{i}.png", "ab"[i == 3], "", "test" if i == 5 else "train") for i in range(6)],
    columns=["path", "label", "group", "shipped"],
)


def pair(a, b, score, copy=True):
    return PathPair(f"{a}.png", f"{b}.png", "resized", score, copy)


def test_leaks_come_first_then_two_labels_then_the_least_sure():
    result = AuditResult(pairs=[pair(0, 1, 0.99), pair(0, 2, 0.8, copy=False), pair(2, 3, 0.95), pair(4, 5, 0.9)])
    assert [(item.a, item.b, remark) for item, remark in ranked(result, SAMPLES)] == [
        ("4.png", "5.png", "train / test"),
        ("2.png", "3.png", "a / b"),
        ("0.png", "2.png", "near"),
        ("0.png", "1.png", ""),
    ]


def test_the_table_is_aligned_and_says_what_it_leaves_out():
    result = AuditResult(pairs=[pair(0, 1, 0.9)] * (ROWS + 2))
    lines = table(result, SAMPLES)
    assert lines[:2] == ["image  is     changed  alike", "0.png  1.png  resized  0.900"]
    assert lines[-1] == "... and 2 more pairs: --json lists all"
    assert len(lines) == ROWS + 2
    assert table(AuditResult(), SAMPLES) == []


def test_a_leak_is_test_and_another_split():
    assert crosses({"test", "train"})
    assert crosses({"valid", "test"})
    assert not crosses({"train", "valid"})
    assert not crosses({"test", ""})


def test_the_exit_code_depends_on_what_ships():
    sets = [["a", "b"]]
    clean, twice = AuditResult(), AuditResult(groups=sets)
    assert exit_code(clean, shipped=False) == exit_code(clean, shipped=True) == CLEAN == 0
    assert exit_code(twice, shipped=True) == CLEAN
    assert exit_code(twice, shipped=False) == FOUND == 3
    assert exit_code(replace(twice, leaks=sets), shipped=True) == FOUND
    assert exit_code(replace(twice, label_conflicts=sets), shipped=True) == FOUND
    assert exit_code(replace(clean, divided_groups=["p1"]), shipped=True) == FOUND


def test_equal_rows_under_two_labels_are_clean_and_said():
    counts = EqualRowCounts(n_rows=8, n_pairs=9, expected=8.7, n_duplicates=0)
    result = AuditResult(n_files=9, label_conflicts=[["row 1", "row 2"]], conflicts_kept=True, equal_rows=counts)
    assert exit_code(result, shipped=False) == CLEAN
    assert "equal in all features: 8 rows in 9 pairs, of which the columns explain 9" in summary(result, "row")[2]
    assert summary(result, "row", done=True)[1].endswith("different patients: they stay")


CLUSTERED = AuditResult(n_files=9, clusters=Clusters(0.6, 0.05, ["a", "b"]))


def test_clusters_without_a_group_are_a_finding():
    assert exit_code(CLUSTERED, shipped=False) == FOUND
    assert exit_code(CLUSTERED, shipped=False, has_groups=True) == CLEAN
    with pytest.raises(
        FindingError, match=r"clusters: 60% .+ init_task --group COLUMN.+tasks.t.read.no_group: true"
    ) as error:
        require_groups(CLUSTERED, ReadParams(), "rows.csv", "t")
    assert error.value.exit_code == 3


def test_labels_shared_by_near_rows_are_a_finding():
    result = AuditResult(n_files=9, clusters=Clusters(0.42, 0.1, ["a", "b"], by_label=True))
    with pytest.raises(FindingError, match=r"similar rows: agreement is 0.42 higher .+ init_task --group COLUMN"):
        require_groups(result, ReadParams(), "rows.csv", "t")


@pytest.mark.parametrize(
    "read", [{"group": "mrn"}, {"group_from": "(a)"}, {"dicom_group": "PatientID"}, {"no_group": True}]
)
def test_only_an_unknown_group_is_mentioned(read):
    assert about_unknown_groups(ReadParams(**read), "row") == []
    assert "each row is taken as another patient" in about_unknown_groups(ReadParams(), "row")[0]


def test_clusters_of_images_are_a_finding():
    result = AuditResult(n_files=9, clusters=Clusters(0.6, 0.3, []))
    assert "images come in clusters: 60% of them" in summary(result, "image")[1]
    with pytest.raises(FindingError, match=r"read.group, or the part of the path: group_from.+--group-from REGEX"):
        require_groups(result, ReadParams(), "raw", "t")


@pytest.mark.parametrize(
    "read",
    [{"group": "p"}, {"no_group": True}, {"group_from": "^([^/]+)/"}, {"dicom_group": "PatientID", "csv": "a.csv"}],
)
def test_a_decision_on_groups_ends_the_finding(read):
    require_groups(CLUSTERED, ReadParams(**read), "rows.csv", "t")


def test_the_summary_names_what_cannot_be_judged_and_shortcuts():
    shortcuts = [Shortcut("bytes", accuracy=0.9, majority=0.5, roc_auc=0.954)]
    result = AuditResult(n_files=9, n_unreadable=1, unjudged=["a.png", "b.png"], confounders=shortcuts)
    assert summary(result, "image") == [
        "8 images, 1 unreadable, 0 other files skipped",
        "shortcut: bytes alone predicts the label with ROC AUC 0.95",
        "nearly empty, cannot be compared with others: 2, first a.png",
    ]
    assert all("; nothing is left out, but" in line for line in summary(result, "image", done=True)[1:])


def test_clusters_stand_next_to_every_figure(tmp_path):
    file = TaskPaths("t", tmp_path).audit
    assert warnings("t", tmp_path) == []
    artifacts.write_json(file, AuditResult())
    assert warnings("t", tmp_path) == []
    artifacts.write_json(file, AuditResult(clusters=Clusters(0.4, 0.02, ["a", "b"])))
    (warning,) = warnings("t", tmp_path)
    assert warning.startswith("Rows come in clusters: 40%")
    assert warning.endswith("If they do, all figures here are too good")
