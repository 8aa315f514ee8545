"""Images for a network that is fine-tuned: cached embeddings, and pixels that stay on disk until they are needed."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core import paths
from pipeline.data.dataset import Dataset


@dataclass(frozen=True)
class MappedImages:
    """Samples as cached embeddings, float32 (n, 1280), and pixels, uint8 (n, 224, 224, 3), mapped from disk.

    Indexing by row numbers returns a view: no pixel is read before it is needed. `scratch` is the folder for intermediate
    results, which make an interrupted training resumable.
    """

    embedding: np.ndarray
    pixels: np.ndarray
    scratch: Path
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: np.ndarray) -> "MappedImages":
        return MappedImages(self.embedding, self.pixels, self.scratch, self.rows[rows])

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Send mapped pixels to another process as the path of their file, which is mapped there."""
        file = getattr(self.pixels, "filename", None)
        content = (self.embedding, str(file), self.scratch, self.rows)
        return (open_images, content) if file else super().__reduce__()

    @property
    def row_embedding(self) -> np.ndarray:
        """The embeddings of the rows, float32 (len(rows), 1280)."""
        return self.embedding[self.rows]


def map_images(embedding: np.ndarray, pixels: np.ndarray, scratch: Path) -> MappedImages:
    """Return all rows of embeddings (n, 1280) and pixels (n, 224, 224, 3)."""
    return MappedImages(embedding, pixels, scratch, np.arange(len(embedding)))


def load_images(dev: Dataset, data: Path, model: str) -> MappedImages:
    """Return the development set's images, whose pixels `preprocess` wrote to the folder `data`, for one model."""
    pixels = np.load(data / "dev_pixels.npy", mmap_mode="r")
    return map_images(np.asarray(dev.X("embedding")), pixels, paths.CACHE / "training" / model)


def open_images(embedding: np.ndarray, file: str, scratch: Path, rows: np.ndarray) -> MappedImages:
    """Return images whose pixels are mapped from a .npy file."""
    return MappedImages(embedding, np.load(file, mmap_mode="r"), scratch, rows)


def scratch_key(*parts: Any) -> str:
    """Return 16 hex digits that identify arrays and JSON content, for the name of a scratch file."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.tobytes() if isinstance(part, np.ndarray) else json.dumps(part, sort_keys=True).encode()
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()[:16]
