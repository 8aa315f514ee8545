"""Features that stay on disk: of a large set they are read in blocks of `BLOCK` rows, so that memory does not grow with it.

Up to `BLOCK` rows are an ordinary array: small sets take one block, and no result depends on how large sets are read.
"""

import struct
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.paths import CACHE

BLOCK = 8192  # rows: 42 MB of embeddings
LOCAL_HEADER = (
    30  # bytes of a zip member's header before its name; the last four are the lengths of name and extra field
)


@dataclass(frozen=True)
class MappedRows:
    """More than `BLOCK` rows, int (n,), of an array (m, n_features) that is mapped from a file.

    Indexed by row numbers, a mask or a slice it gives an array, or, of more than `BLOCK` rows, such rows again.
    """

    array: np.ndarray
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, int]:
        """The number of rows and of features."""
        return len(self.rows), self.array.shape[1]

    @property
    def dtype(self) -> np.dtype:
        """That of the array."""
        return self.array.dtype

    def __getitem__(self, rows: "np.ndarray | slice") -> "np.ndarray | MappedRows":
        return select(self.array, self.rows[rows])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.array[self.rows], dtype)


def select(array: np.ndarray, rows: np.ndarray) -> "np.ndarray | MappedRows":
    """Return the rows, int (n,), of an array; many rows of features (m, n_features) stay on disk."""
    return MappedRows(array, rows) if array.ndim == 2 and len(rows) > BLOCK else array[rows]


def blocks(X: Any) -> Iterator[Any]:
    """Yield `BLOCK` samples after the other where the features are mapped, or those of the image are; otherwise X itself."""
    if not is_mapped(X):
        yield X
        return
    for start in range(0, len(X), BLOCK):
        yield X[start : start + BLOCK]


def is_mapped(X: Any) -> bool:
    """Return whether the features, or those of the image where there are clinical columns, are read in blocks."""
    return isinstance(getattr(X, "image", X), MappedRows)


def on_disk(parts: Iterable[np.ndarray]) -> np.ndarray:
    """Return arrays (m, n_features), one after the other, mapped from a file without a name, which goes with the array.

    A memory map that is written to would end the process on a full disk without a message; a plain write raises OSError.
    """
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryFile(dir=CACHE) as file:
        n = 0
        for part in parts:
            file.write(np.ascontiguousarray(part).data)
            n += len(part)
        file.flush()
        return np.asarray(np.memmap(file, part.dtype, "r", shape=(n, part.shape[1])))


class MappedArrays(Mapping[str, Any]):
    """The arrays of an uncompressed .npz file, each read when it is asked for; features of more than `BLOCK` rows are mapped."""

    def __init__(self, file: Path):
        """Open the file."""
        self.file, self.npz = file, np.load(file, allow_pickle=False)
        self.large = {entry.filename for entry in self.npz.zip.infolist() if entry.file_size > BLOCK}

    def __iter__(self) -> Iterator[str]:
        return iter(self.npz)

    def __len__(self) -> int:
        return len(self.npz)

    def __contains__(self, name: object) -> bool:
        return name in self.npz

    def __getitem__(self, name: str) -> Any:
        mapped = self.map(name) if f"{name}.npy" in self.large else None
        return self.npz[name] if mapped is None else select(mapped, np.arange(len(mapped)))

    def map(self, name: str) -> np.ndarray | None:
        """Return features of more than `BLOCK` rows mapped from the file; None for other arrays."""
        archive = self.npz.zip
        entry = archive.getinfo(f"{name}.npy")
        with archive.open(entry) as member:
            if np.lib.format.read_magic(member) != (1, 0):
                return None
            shape, _, dtype = np.lib.format.read_array_header_1_0(member)
            size_of_header = member.tell()
        if len(shape) != 2 or shape[0] <= BLOCK:
            return None
        with self.file.open("rb") as file:
            file.seek(entry.header_offset + LOCAL_HEADER - 4)
            start = file.tell() + 4 + sum(struct.unpack("<HH", file.read(4)))
        return np.memmap(self.file, dtype, "r", start + size_of_header, shape)
