"""Features of a large set stay on disk, and give what the same features in memory give."""

import pickle

import numpy as np
import pytest

from pipeline.core import artifacts, mapped_rows
from pipeline.core.mapped_rows import MappedArrays, MappedRows, blocks, on_disk, select


@pytest.fixture
def small_blocks(monkeypatch) -> None:
    """Ten rows are a large set."""
    monkeypatch.setattr(mapped_rows, "BLOCK", 10)


def features(n: int = 33) -> np.ndarray:
    """Return features (n, 4)."""
    return np.random.default_rng(n).normal(size=(n, 4)).astype(np.float32)


@pytest.fixture
def saved(tmp_path, small_blocks, empty_folder) -> tuple[MappedArrays, np.ndarray]:
    """Features in a file with other arrays, and the same in memory."""
    X = features()
    file = tmp_path / "dev.npz"
    artifacts.write_npz(file, {"id": np.array(["a", "bc"]), "wide": X.T.copy(), "embedding": X, "y": np.arange(33)})
    return MappedArrays(file), X


def test_arrays_of_a_file_are_those_that_were_written(saved):
    arrays, X = saved
    assert list(arrays) == ["id", "wide", "embedding", "y"]
    assert len(arrays) == 4
    assert "wide" in arrays
    assert "absent" not in arrays
    assert isinstance(arrays["embedding"], MappedRows)
    assert arrays["embedding"].shape == X.shape
    assert arrays["embedding"].dtype == X.dtype
    np.testing.assert_array_equal(arrays["embedding"], X)
    np.testing.assert_array_equal(arrays["wide"], X.T)
    np.testing.assert_array_equal(arrays["y"], np.arange(33))
    with pytest.raises(KeyError):
        arrays["absent"]


@pytest.mark.parametrize("rows", [np.arange(5, 30), np.arange(33) % 2 == 0, slice(3, 31), slice(2, 4), np.array([7])])
def test_rows_are_those_of_the_array(saved, rows):
    arrays, X = saved
    some = arrays["embedding"][rows]
    assert isinstance(some, MappedRows) == (len(X[rows]) > 10)
    np.testing.assert_array_equal(some, X[rows])
    np.testing.assert_array_equal(some[:3], X[rows][:3])


def test_blocks_are_all_rows_in_order(saved):
    arrays, X = saved
    parts = list(blocks(arrays["embedding"]))
    assert [len(part) for part in parts] == [10, 10, 10, 3]
    np.testing.assert_array_equal(np.concatenate(parts), X)
    assert [part is X for part in blocks(X)] == [True]


def test_what_is_written_on_disk_is_mapped(saved):
    arrays, X = saved
    doubled = on_disk(2 * block for block in blocks(arrays["embedding"]))
    assert isinstance(doubled.base, np.memmap)
    np.testing.assert_array_equal(doubled, 2 * X)


def test_mapped_rows_are_saved_as_other_arrays_are(saved, tmp_path):
    arrays, X = saved
    rows = np.arange(33)[::-1]
    artifacts.write_npz(
        tmp_path / "mapped.npz", {"embedding": select(arrays["embedding"].array, rows), "n": np.int64(3)}
    )
    artifacts.write_npz(tmp_path / "numpy.npz", {"embedding": X[rows], "n": np.int64(3)})
    assert (tmp_path / "mapped.npz").read_bytes() == (tmp_path / "numpy.npz").read_bytes()


def test_mapped_rows_are_sent_to_another_process(saved):
    arrays, X = saved
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(arrays["embedding"])), X)
