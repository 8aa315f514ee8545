"""What stages leave behind is whole or not there, and byte for byte the same on every run."""

import errno
import json
import math
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.core import artifacts


@dataclass
class Inner:
    n: int


@dataclass
class Outer:
    parts: list[Inner]
    span: tuple[float, float]
    by_name: dict[str, Inner]
    last: Inner | None


def test_failing_writer_leaves_the_old_file_alone(tmp_path):
    file = tmp_path / "a.txt"
    artifacts.write_bytes(file, b"old")

    def half_write() -> None:
        with artifacts.replacing(file) as part:
            part.write_bytes(b"ne")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        half_write()
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_old_file_stays_until_the_new_one_is_complete(tmp_path):
    file = tmp_path / "a.txt"
    artifacts.write_bytes(file, b"old")
    with artifacts.replacing(file) as part:
        part.write_bytes(b"new")
        assert file.read_bytes() == b"old"
        assert part.parent == file.parent  # a rename is one step only within a file system
    assert file.read_bytes() == b"new"


def test_folders_are_made_where_they_are_missing(tmp_path):
    artifacts.write_bytes(tmp_path / "a" / "b" / "c.txt", b"x")
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == b"x"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -np.inf, np.float32("nan")])
def test_what_is_no_number_is_null_in_json(tmp_path, value):
    artifacts.write_json(tmp_path / "a.json", {"x": [value, 1]})
    assert artifacts.read_json(tmp_path / "a.json") == {"x": [None, 1]}


def test_figures_have_six_digits_and_numpy_scalars_are_plain(tmp_path):
    content = {
        "f": 0.123456789, "f32": np.float32(0.1), "i": np.int64(3), "b": np.bool_(True), "t": (1, 2),
        "a": np.array([[1.0000001, 2]]), "n": None, "s": "é", 5: "key",
    }  # fmt: skip
    artifacts.write_json(tmp_path / "a.json", content)
    assert artifacts.read_json(tmp_path / "a.json") == {
        "f": 0.123457, "f32": 0.1, "i": 3, "b": True, "t": [1, 2], "a": [[1.0, 2.0]], "n": None, "s": "é", "5": "key",
    }  # fmt: skip


def test_json_bytes_do_not_depend_on_key_order(tmp_path):
    artifacts.write_json(tmp_path / "a.json", {"b": 1, "a": {"d": 1, "c": 2}})
    artifacts.write_json(tmp_path / "b.json", {"a": {"c": 2, "d": 1}, "b": 1})
    data = (tmp_path / "a.json").read_bytes()
    assert data == (tmp_path / "b.json").read_bytes()
    assert data.endswith(b"}\n")
    assert b"\r" not in data
    assert json.loads(data)["a"]["c"] == 2


def test_what_json_cannot_hold_is_refused_rather_than_written_half(tmp_path):
    artifacts.write_json(tmp_path / "a.json", {"x": 1})
    with pytest.raises(TypeError):
        artifacts.write_json(tmp_path / "a.json", {"x": {1, 2}})
    assert artifacts.read_json(tmp_path / "a.json") == {"x": 1}


def test_csv_has_six_digits_unix_line_ends_no_index(tmp_path):
    artifacts.write_csv(tmp_path / "a.csv", pd.DataFrame({"x": [0.123456789, np.nan], "y": ["é, z", "b"]}))
    assert (tmp_path / "a.csv").read_bytes() == 'x,y\n0.123457,"é, z"\n,b\n'.encode()


def arrays() -> dict[str, np.ndarray]:
    """Return arrays of several types."""
    return {"x": np.arange(6.0).reshape(2, 3), "column:größe": np.array(["a", "b"]), "n": np.array([], dtype=int)}


@pytest.mark.parametrize("write", [
    lambda path: artifacts.write_npz(path, arrays()),
    lambda path: artifacts.write_zip(path, {"b.json": b"{}", "a/c.bin": bytes(99)}),
], ids=["npz", "zip"])  # fmt: skip
def test_an_archive_is_the_same_bytes_at_any_time(tmp_path, monkeypatch, write):
    write(tmp_path / "a")
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    write(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_npz_holds_what_was_written(tmp_path):
    artifacts.write_npz(tmp_path / "a.npz", arrays())
    with np.load(tmp_path / "a.npz", allow_pickle=False) as loaded:
        assert list(loaded) == list(arrays())
        assert all(np.array_equal(loaded[name], array) for name, array in arrays().items())


def test_zip_keeps_the_order_and_is_readable_by_all(tmp_path):
    artifacts.write_zip(tmp_path / "a.zip", {"b": b"1", "a": b"2"})
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["b", "a"]
        assert archive.read("a") == b"2"
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o644}


@pytest.mark.parametrize("shape", [(3, 8), (0, 4), (2, 5, 5, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_npy_written_by_rows_equals_that_of_numpy(tmp_path, shape, dtype):
    array = np.random.default_rng(0).integers(0, 9, shape).astype(dtype)
    with artifacts.writing_npy(tmp_path / "rows.npy", dtype, shape) as add:
        for row in array.astype(np.float64):
            add(row)
    np.save(tmp_path / "whole.npy", array)
    assert (tmp_path / "rows.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()


def test_incomplete_npy_is_not_left_behind(tmp_path):
    def write_one_of_two() -> None:
        with artifacts.writing_npy(tmp_path / "a.npy", np.float32, (2, 3)) as add:
            add(np.zeros(3))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_one_of_two()
    assert not list(tmp_path.iterdir())


def test_a_sha256_is_that_of_the_bytes():
    assert artifacts.sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_full_disk_raises_instead_of_truncating():
    with pytest.raises(OSError, match="No space left"), Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"x")


def test_json_becomes_the_types_that_dataclasses_declare():
    result = artifacts.from_json(
        Outer, {"parts": [{"n": 1}], "span": [0.5, None], "by_name": {"a": {"n": 2}}, "last": None}
    )
    assert (result.parts, result.by_name, result.last) == ([Inner(1)], {"a": Inner(2)}, None)
    assert result.span[0] == 0.5
    assert math.isnan(result.span[1])
    with pytest.raises(TypeError, match="unknown"):
        artifacts.from_json(Inner, {"n": 1, "unknown": 2})


def test_a_file_in_the_cache_that_is_linked_stays_as_it_is(tmp_path):
    cached, output = tmp_path / "cached", tmp_path / "output"
    cached.write_bytes(b"as it was")
    cached.chmod(0o444)
    os.link(cached, output)
    artifacts.write_bytes(output, b"new")
    assert (cached.read_bytes(), output.read_bytes()) == (b"as it was", b"new")
