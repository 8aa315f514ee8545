"""Archives are read as folders are, and a hostile one writes nothing."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.core.params_models import TaskParams
from pipeline.data import folder_layout
from pipeline.data.folders import archives
from tests.helpers.samples import encoded, noise, task


@pytest.fixture(autouse=True)
def _project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)


def packed(members: dict[str, bytes], name: str = "skin.zip") -> Path:
    """Write a zip archive of these members."""
    with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return Path(name)


def listed(raw: Path) -> dict[str, tuple[str, str]]:
    """Return {path: (label, shipped)} of the samples of an archive."""
    samples, _ = folder_layout.list_samples(TaskParams(**task(raw=str(raw))), "skin")
    return {sample.path: (sample.label, sample.shipped) for sample in samples}


@pytest.mark.parametrize("top", ["", "skin/", "Some Folder/"])
def test_a_zip_is_read_like_its_folder(top):
    raw = packed(
        {f"{top}train/{c}/{n}.png": encoded(noise(n)) for c in "ab" for n in range(2)} | {f"{top}test/a/9.png": b"x"}
    )
    before = raw.read_bytes()
    assert listed(raw)[f"{top}test/a/9.png"] == ("a", "test")
    assert len(listed(raw)) == 5
    assert raw.read_bytes() == before


def test_an_archive_is_unpacked_once():
    raw = packed({"a/1.png": b"1", "b/2.png": b"2"})
    first = archives.folder_of(raw)
    times = {path: path.stat().st_mtime_ns for path in first.rglob("*")}
    assert archives.folder_of(raw) == first
    assert {path: path.stat().st_mtime_ns for path in first.rglob("*")} == times


def test_folders_and_tables_are_left_as_they_are(tmp_path):
    assert archives.folder_of(tmp_path) == tmp_path
    assert archives.folder_of("rows.csv") == Path("rows.csv")


@pytest.mark.parametrize(
    "name", ["../../evil.png", "/etc/evil.png", "a/../../evil.png", "..\\evil.png", "C:\\evil.png"]
)
def test_members_that_lead_out_are_refused(tmp_path, name):
    with pytest.raises(DataError, match="leads out of the archive"):
        archives.folder_of(packed({name: b"x", "a/1.png": b"y"}))
    assert not list(tmp_path.parent.rglob("evil.png"))


def test_links_are_refused():
    with zipfile.ZipFile("skin.zip", "w") as archive:
        entry = zipfile.ZipInfo("a/passwd.png")
        entry.create_system, entry.external_attr = 3, 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(DataError, match=r"'a/passwd.png' is a link"):
        archives.folder_of("skin.zip")


def test_bombs_are_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "SMALL", 1_000_000)
    with pytest.raises(DataError, match="this is no archive of images; nothing was unpacked"):
        archives.folder_of(packed({"a/1.png": bytes(20_000_000)}))
    assert [path.name for path in Path(".cache/unpacked").iterdir() if path.is_dir()] == []


def test_archives_larger_than_the_disk_are_refused(monkeypatch):
    monkeypatch.setattr(archives, "free_bytes", lambda folder: 10)
    with pytest.raises(DataError, match=r"unpacks to 100 bytes, and the disk has 10 left"):
        archives.folder_of(packed({"a/1.png": bytes(range(100))}))


def test_too_large_members_are_refused(monkeypatch):
    monkeypatch.setattr(archives, "MAX_BYTES", 99)
    with pytest.raises(DataError, match=r"'a/1.png' unpacks to 100 bytes, over the limit of 99"):
        archives.folder_of(packed({"a/1.png": bytes(range(100))}))


def test_damaged_archives_are_refused():
    data = packed({"a/1.png": encoded(noise(1, 200, 200))}).read_bytes()
    for broken in (data[: len(data) // 2], data[:60] + bytes(2000) + data[2060:]):
        Path("skin.zip").write_bytes(broken)
        with pytest.raises(DataError, match=r"skin.zip: (is not a readable archive|is damaged)"):
            archives.folder_of("skin.zip")
    assert not list(Path(".cache/unpacked").glob(".*.part"))


def test_names_that_are_there_twice_are_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a/1.png", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a/1.png", b"2")
    Path("skin.zip").write_bytes(file.getvalue())
    with pytest.raises(DataError, match=r"holds 'a/1.png' twice"):
        archives.folder_of("skin.zip")


def test_members_named_with_backslashes_are_read():
    raw = packed({f"skin\\{c}\\{n}.png": encoded(noise(n)) for c in "ab" for n in range(2)})
    assert listed(raw)["skin/a/0.png"] == ("a", "")


@pytest.mark.parametrize("members", [{"inner.zip": b"x"}, {"a/inner.tar.gz": b"x", "read.me": b"x"}])
def test_an_archive_of_archives_is_named(members):
    with pytest.raises(
        DataError, match=r"^skin.zip: holds no image and no table \(.*unpack it, and give what is in it"
    ):
        archives.folder_of(packed(members))


@pytest.mark.parametrize(
    ("members", "is_images"),
    [
        ({"a/1.png": b"1"}, True),
        ({"t.csv": b"a,b"}, False),
        ({"t.csv": b"a,b", "img/1.dcm": b"1"}, True),
        ({"1": b"1"}, True),
    ],
)
def test_an_archive_of_tables_is_no_archive_of_images(members, is_images):
    assert archives.is_archive(packed(members)) is is_images


def test_what_was_not_used_for_weeks_is_deleted():
    first = archives.folder_of(packed({"a/1.png": b"1", "b/2.png": b"2"}))
    lock = first.with_name(f"{first.name}.lock")
    for path in (first, lock):
        os.utime(path, (0, 0))
    second = archives.folder_of(packed({"a/1.png": b"3", "b/2.png": b"4"}, "other.zip"))
    assert [second.exists(), first.exists(), lock.exists()] == [True, False, False]
    assert archives.folder_of(Path("skin.zip")) == first
    assert second.exists()
