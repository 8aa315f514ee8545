"""Raw data that change while a stage reads them are refused, with what changed; what only looks changed is not."""

import os
import shutil
from pathlib import Path

import pytest

from pipeline import audit, scan
from pipeline.core import artifacts
from pipeline.core.errors import DataError, StageError
from pipeline.data.raw_changes import RawData, as_scanned, record, unchanged
from tests.helpers.samples import put, stage, task, write_params
from tests.helpers.scans import GOOD

FILES = {"a.csv": "x,y\n1,2\n", "images/b.png": 2, "images/c.png": 3}


@pytest.fixture
def raw(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return put(tmp_path / "raw", FILES)


def rewrite_as_before(path: Path) -> None:
    """Write other bytes of the same length, and set the time back."""
    before = path.stat()
    path.write_bytes(bytes(before.st_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def there_and_back(path: Path) -> None:
    """Write other bytes, and then what was there before."""
    before = path.read_bytes()
    path.write_bytes(b"other")
    path.write_bytes(before)


@pytest.mark.parametrize(
    ("change", "result"),
    [
        (lambda raw: (raw / "a.csv").write_text("x,y\n1,3\n"), "a.csv was written to"),
        (lambda raw: rewrite_as_before(raw / "images/b.png"), "images/b.png was written to"),
        (lambda raw: there_and_back(raw / "a.csv"), "a.csv was written to"),
        (lambda raw: (raw / "images/c.png").unlink(), "images/c.png was removed"),
        (lambda raw: (raw / "images/d.png").write_bytes(b"new"), "images/d.png is new"),
        (lambda raw: os.replace(raw / "images/b.png", raw / "images/c.png"), "images/b.png was removed"),
        (lambda raw: shutil.rmtree(raw), "a.csv was removed, images/b.png was removed, images/c.png was removed"),
    ],
)
def test_each_kind_of_change_is_named(raw, change, result):
    with (
        pytest.raises(DataError, match=r"raw: changed while scan skin read it: .*then run 'dvc repro' again") as caught,
        unchanged("raw", "scan skin"),
    ):
        change(raw)
    assert result in str(caught.value)


def test_reading_links_and_permissions_change_nothing(raw, tmp_path):
    with unchanged("raw", "scan skin"):
        (raw / "a.csv").read_bytes()
        (raw / "a.csv").chmod(0o640)
        os.link(raw / "images/b.png", tmp_path / "a copy.png")


def test_an_error_on_half_a_file_names_the_change(raw):
    def fail(text):
        (raw / "a.csv").write_text(text)
        raise DataError("row 1 has 1 cell")

    with (
        pytest.raises(DataError, match=r"a.csv was written to; wait .* \(it also met: row 1 has 1 cell\)"),
        unchanged("raw", "scan skin"),
    ):
        fail("x,y\n1")
    (raw / "a.csv").write_text("x,y\n1")
    with pytest.raises(DataError, match=r"^it is short$"), unchanged("raw", "scan skin"):
        raise DataError("it is short")


def test_a_file_and_a_link_are_raw_data_too(raw, tmp_path):
    result = "a.csv: changed while scan rows read it: a.csv was written to"
    with pytest.raises(DataError, match=result), unchanged("raw/a.csv", "scan rows"):
        (raw / "a.csv").write_text("x,y\n1,3\n")
    (tmp_path / "linked").symlink_to(raw)
    with pytest.raises(DataError, match=r"images/b.png was written to"), unchanged("linked", "scan skin"):
        (raw / "images/b.png").write_bytes(b"other")


def test_many_changes_are_counted(raw):
    with pytest.raises(DataError, match=r"4.png is new and 15 more; wait"), unchanged("raw", "scan skin"):
        put(raw, {f"images/{number:02}.png": b"new" for number in range(20)})


def test_hash_stands_for_paths_and_contents_alone(raw, tmp_path):
    before = RawData.read("raw").sha256
    shutil.copytree(raw, tmp_path / "copy", copy_function=shutil.copyfile)
    assert RawData.read("copy").sha256 == before
    (raw / "images/b.png").rename(raw / "images/e.png")
    assert RawData.read("raw").sha256 != before


def test_later_stages_compare_with_what_scan_read(raw):
    missing = "data/skin/scan/raw.json is missing: run 'dvc repro scan@skin'"
    with pytest.raises(StageError, match=missing), as_scanned("skin", "raw", "audit"):
        pytest.fail("must not start")
    record(RawData.read("raw"), "skin")
    assert artifacts.read_json("data/skin/scan/raw.json")["files"] == 3
    with as_scanned("skin", "raw", "audit"):
        pass
    (raw / "a.csv").write_text("x,y\n1,3\n")
    changed = "is not what scan read; .* 'dvc repro --force --single-item scan@skin'"
    with pytest.raises(DataError, match=changed), as_scanned("skin", "raw", "audit"):
        pytest.fail("must not start")


def test_scan_ends_with_exit_2_on_changing_images(scan_project, monkeypatch, capsys):
    raw, write = put(scan_project / "raw", GOOD), scan.write_samples
    write_params(task())

    def write_and_change(*arguments):
        n_samples = write(*arguments)
        put(raw, {"benign/a.png": 9})
        return n_samples

    monkeypatch.setattr(scan, "write_samples", write_and_change)
    with pytest.raises(DataError, match=r"benign/a.png was written to") as caught:
        scan.main("skin")
    assert caught.value.exit_code == 2
    assert not Path("data/skin/scan/raw.json").exists()
    monkeypatch.undo()


def test_audit_refuses_data_that_changed_after_scan(scan_project):
    raw = put(scan_project / "raw", GOOD)
    write_params(task())
    scan.main("skin")
    audit.main("skin")
    put(raw, {"benign/a.png": 9})
    done = stage(scan_project, "audit", "skin")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("DataError: raw: is not what scan read")
