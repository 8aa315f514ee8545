"""Lines of the ledger survive a killed writer, and the last decision on a batch counts."""

import pytest

from pipeline.core.errors import DataError
from pipeline.core.paths import TaskPaths
from pipeline.data import upload_ledger

pytestmark = pytest.mark.usefixtures("empty_folder")


def append(event, batch="b1"):
    with upload_ledger.locked("skin"):
        upload_ledger.append("skin", upload_ledger.KINDS[event](event=event, batch=batch))


def test_a_half_written_line_is_ignored_and_cut_off():
    assert upload_ledger.read("skin") == []
    append("collected")
    with TaskPaths("skin").ledger.open("ab") as file:
        file.write(b'{"event": "coll')
    assert [line.event for line in upload_ledger.read("skin")] == ["collected"]
    append("promoted")
    assert [line.event for line in upload_ledger.read("skin")] == ["collected", "promoted"]


@pytest.mark.parametrize("damaged", [b"{", b"[]", b"\xff", b'{"event": "unknown"}', b'{"event": "collected"}'])
def test_a_damaged_line_is_named(damaged):
    append("collected")
    with TaskPaths("skin").ledger.open("ab") as file:
        file.write(damaged + b"\n")
    with pytest.raises(DataError, match="line 2 is damaged; restore the file"):
        upload_ledger.read("skin")


def test_the_last_decision_on_a_batch_counts():
    for event in ("collected", "promoted", "rolled back"):
        append(event)
    append("collected", "b2")
    assert upload_ledger.decisions("skin") == {"b1": "rolled back"}
    assert (upload_ledger.decision("skin", "b1"), upload_ledger.decision("skin", "b2")) == ("rolled back", "")
    assert [line.batch for line in upload_ledger.samples("skin", "b2")] == ["b2"]


def test_tries_and_corrections_are_read_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    compared = {"batch": "a", "passed": True, "recommendation": "Promote.", "differences": {}}
    with upload_ledger.locked("t"):
        for champion in ("x", "x", "y", ""):
            upload_ledger.append("t", upload_ledger.Compared(**compared, champion=champion))
        for label in ("ill", "well"):
            upload_ledger.append("t", upload_ledger.Corrected(path="1.png", label="ill", corrected=label, who="me"))
    assert [upload_ledger.tries("t", champion) for champion in ("x", "y", "z")] == [2, 1, 0]
    assert upload_ledger.corrections("t")["1.png"].corrected == "well"
    assert upload_ledger.samples("t") == []
    assert upload_ledger.decisions("t") == {}
