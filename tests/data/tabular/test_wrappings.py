"""A packed table is read; what is no table is refused with what it is."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.data.tabular import wrappings
from pipeline.data.tabular.files import read_table

CSV = b"a,b\n1,x\n2,y\n3,x\n"


def packed(**files: bytes) -> bytes:
    """Return a zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return out.getvalue()


def tarred() -> bytes:
    """Return a tar archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.csv"))
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [gzip.compress(CSV), packed(**{"d__t.csv": CSV, "d__read.me": b"x", "__MACOSX__._t.csv": b"x"})],
    ids=["gzip", "zip"],
)
def test_a_packed_table_is_read(data):
    assert read_table(Path("t.csv.gz"), data).table.to_dict("list") == {"a": ["1", "2", "3"], "b": ["x", "y", "x"]}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (packed(**{"a.csv": CSV, "b.csv": CSV}), "holds 2 tables .a.csv, b.csv."),
        (packed(**{"inner.zip": b"x"}), "an archive in an archive .inner.zip."),
        (packed(**{"a.png": b"x"}), "holds no table .a.png."),
        (gzip.compress(tarred()), "is a tar archive"),
        (b"  <!DOCTYPE html><html><body>Please log in", "is an HTML page, not a table"),
        (b"<html xmlns:o='x'><table><tr><td>1", "is an HTML page"),
        (b"<?xml version='1.0'?><Workbook/>", "is XML"),
        (b'[\n {"a": 1}]', "is JSON"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "is a pointer of Git LFS"),
        (b"<stata_dta><header>", "is a Stata file"),
        (b"SQLite format 3\x00", "is an SQLite database"),
        (b"\x1f\x8b\x08rest", "is a damaged gzip file"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",  # archives hold the time
)
def test_what_is_no_table_is_named(data, text):
    with pytest.raises(DataError, match=f"^t.csv: .*{text}"):
        read_table(Path("t.csv"), data)


def test_a_table_that_unpacks_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(wrappings, "MOST_BYTES", 100)
    for data in (gzip.compress(b"a,b\n" * 100), packed(**{"t.csv": b"a,b\n" * 100})):
        with pytest.raises(DataError, match="unpacks to"):
            read_table(Path("t.csv"), data)


def test_a_small_file_does_not_unpack_to_any_size():
    with pytest.raises(DataError, match="unpacks to 50,000,001 bytes or more"):
        read_table(Path("t.csv"), gzip.compress(bytes(60_000_000), 1))
