"""Rows of a table become samples; columns with a role are no features."""

import csv
import json
from pathlib import Path

import pytest

from pipeline import scan
from pipeline.core.errors import DataError
from tests.helpers.samples import put, task
from tests.helpers.scans import GOOD, scanned


def put_table(text: str, **read: object) -> dict:
    """Write a table and return its task."""
    Path("rows.csv").write_text(text, encoding="utf-8")
    return task("table", "rows.csv", read=read)


def columns() -> list[list[str]]:
    """Return columns.csv."""
    with Path("data/skin/scan/columns.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_a_table_is_scanned_without_a_backbone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    samples = scanned(put_table("age,site,label\n61,arm,x\nNA,,y\n61,arm,y\n"))
    assert list(samples.columns) == scan.COLUMNS
    assert samples["path"].tolist() == ["row 1", "row 2", "row 3"]
    assert samples["id"].nunique() == 3
    assert columns() == [["age", "site"], ["61", "arm"], ["NA", ""], ["61", "arm"]]


def test_equal_rows_have_ids_that_rows_added_later_keep(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    few = scanned(put_table("age,label\n61,x\n61,y\n"))
    more = scanned(put_table("age,label\n61,x\n61,y\n5,x\n61,x\n"))
    assert more["id"].tolist()[:2] == few["id"].tolist()
    assert more["id"].nunique() == 4


def test_excluded_columns_are_no_features_but_stay_traceable(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = put_table("id,age,date,label\n1,61,2020-01-01,x\n2,7,2021-01-01,y\n", exclude=["id", "date"])
    samples = scanned(table)
    assert columns()[0] == ["age"]
    assert samples["date"].tolist() == ["2020-01-01", "2021-01-01"]
    assert samples["csv_id"].tolist() == ["1", "2"]


def test_a_missing_group_joins_nobody(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert scanned(put_table("p,age,label\nA,1,x\nNA,2,y\n,3,x\n", group="p"))["group"].tolist() == ["A", "", ""]


def test_the_group_is_read_from_the_path(scan_project):
    put(scan_project / "raw", {"a/p1_1.png": 1, "a/p1_2.png": 2, "b/p2_1.png": 3, "b/x.png": 4})
    samples = scanned(task(read={"group_from": r"/(p\d+)_"}))
    assert samples["group"].tolist() == ["p1", "p1", "p2", ""]


def test_a_pattern_that_finds_no_group_is_refused(scan_project):
    put(scan_project / "raw", GOOD)
    with pytest.raises(DataError, match=r"read.group_from finds nothing in any path, the first is"):
        scanned(task(read={"group_from": "(patient9+)"}))


def test_a_table_may_have_columns_with_reserved_names(scan_project):
    samples = scanned(put_table("id,path,error,label\n7,p,e,x\n8,q,,y\n"))
    assert samples["path"].tolist() == ["row 1", "row 2"]
    assert samples["error"].tolist() == ["", ""]
    assert columns() == [["id", "path", "error"], ["7", "p", "e"], ["8", "q", ""]]


def test_label_group_and_shipped_split_are_no_features(scan_project):
    text = "age,patient,part,dx\n1,P1,train,x\n2,P2,Test,y\n"
    samples = scanned(put_table(text, label="dx", group="patient", shipped="part"))
    assert columns()[0] == ["age"]
    assert samples[["label", "group", "shipped"]].to_numpy().tolist() == [["x", "P1", "train"], ["y", "P2", "test"]]


def test_several_columns_are_the_group_and_no_features(scan_project):
    text = "age,no,site,dx\n1,1,A,x\n2,1,B,y\n3,1.0,A,y\n"
    samples = scanned(put_table(text, label="dx", group="no", group_with=["site"]))
    assert samples["group"].tolist() == ["1 / A", "1 / B", "1 / A"]
    assert columns()[0] == ["age"]


def test_a_row_without_a_label_is_reported_not_lost(scan_project, capsys):
    samples = scanned(put_table("age,label\n1,x\n2,\n3,y\n"))
    assert samples["error"].tolist() == ["", "the label is empty", ""]
    assert "row 2: the label is empty: left out" in capsys.readouterr().err


def test_labels_that_are_missing_make_no_class(scan_project, capsys):
    samples = scanned(put_table("age,label\n1,x\n2,NA\n3,y\n4,?\n"))
    assert samples["label"].tolist() == ["x", "", "y", ""]
    assert (samples["error"] != "").tolist() == [False, True, False, True]
    assert "column 'label': 2 of 4 rows have no label ('?', 'NA') and are left out" in capsys.readouterr().err


def test_groups_that_are_missing_are_no_group(scan_project):
    samples = scanned(put_table("age,who,label\n1,NA,x\n2,NA,y\n3,P1,x\n", group="who"))
    assert samples["group"].tolist() == ["", "", "P1"]


def test_columns_of_a_table_hold_plain_numbers_and_no_dates(scan_project, capsys):
    rows = "".join(f'{20 + n}.5 mg,"{n},188",2021-01-{n:02d},{"xy"[n % 2]}\n' for n in range(1, 29))
    scanned(put_table(f"dose,wbc,day,label\n{rows}"))
    assert columns()[:2] == [["dose", "wbc"], ["21.5", "1188"]]
    formats = json.loads(Path("data/skin/scan/formats.json").read_text())
    assert formats["dose"] == {"kind": "number", "unit": "mg"}
    assert formats["wbc"] == {"kind": "number", "thousands": ","}
    log = capsys.readouterr().err
    assert "column 'day' holds dates (2021-01-01), which are no features: left out" in log
    scanned(put_table("age,label\n1,x\n3,y\n"))
    assert not Path("data/skin/scan/formats.json").exists()


def test_a_table_without_a_header_is_read_when_asked(scan_project):
    assert len(scanned(put_table("1.5,x\n2.5,y\n", header="none", label="column_2"))) == 2
    assert columns()[0] == ["column_1"]


def test_excluded_columns_are_no_features(scan_project):
    scanned(put_table("id,age,label\n7,1,x\n8,3,y\n", exclude=["id"]))
    assert columns()[0] == ["age"]


def test_a_column_of_almost_only_numbers_is_reported(scan_project, capsys):
    scanned(put_table("age,size,label\n61,1.5,x\n60?,2,y\n70,3,x\n"))
    log = capsys.readouterr().err
    assert (
        "scan skin: column 'age' is taken as categories: 1 of 3 cells are no numbers, the first '60?' in line 3" in log
    )
    assert "'size'" not in log


@pytest.mark.parametrize(
    ("text", "read", "error"),
    [
        ("label\nx\ny\n", {}, "has no column besides the label; expected at least one feature"),
        ("age,label\n1,x\n2,X\n", {}, "the labels 'X' and 'x' differ only in case"),
        ("age,label\n1,x\n2,x\n", {}, r"only one class \(x\)"),
        (
            "age,label\n1,x\n2,y\n",
            {"label": "dx"},
            "has no column 'dx' .from tasks.skin.read.label.; it has: age, label",
        ),
        ("age,p,label\n1,a,x\n2,b,y\n", {"shipped": "p"}, "row 1: 'a' is no split"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(scan_project, text, read, error):
    with pytest.raises(DataError, match=error):
        scanned(put_table(text, **read))


def test_a_missing_table_is_named_with_its_key(scan_project):
    with pytest.raises(DataError, match=r"nowhere.csv: there is no such file \(from tasks.skin.raw\)"):
        scanned(task("table", "nowhere.csv"))
