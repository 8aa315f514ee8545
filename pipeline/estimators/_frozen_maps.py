"""Images for a network that is fine-tuned: pixels that stay on disk, and feature maps of the frozen blocks.

The maps are computed once for several augmented views of each image. Fine-tuning starts from them (of block_13: 14x14x96, 37 KB
as float16): no image is decoded, augmented or sent through the frozen blocks again in any epoch or fold. Batches are read from
the file of the maps, so memory does not grow with the number of images.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from pipeline.core import artifacts, paths
from pipeline.core.augment_params import AugmentParams
from pipeline.core.stage import require
from pipeline.core.threads import run_here
from pipeline.data import litert
from pipeline.data.dataset import Dataset
from pipeline.estimators import _network
from pipeline.estimators._augment import STANDARD, augment


@dataclass(frozen=True)
class MappedImages:
    """Samples as cached embeddings, float32 (n, 1280), and pixels, uint8 (n, 224, 224, 3), mapped from disk.

    Indexing by row numbers returns a view: no pixel is read before it is needed. `scratch` is the folder for intermediate
    results, which make an interrupted training resumable; `how` says how images are changed while a network learns.
    """

    embedding: np.ndarray
    pixels: np.ndarray
    scratch: Path
    rows: np.ndarray
    how: AugmentParams = STANDARD

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: np.ndarray) -> "MappedImages":
        return MappedImages(self.embedding, self.pixels, self.scratch, self.rows[rows], self.how)

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Send mapped pixels to another process as the path of their file, which is mapped there."""
        file = getattr(self.pixels, "filename", None)
        content = (self.embedding, str(file), self.scratch, self.rows, self.how)
        return (open_images, content) if file else super().__reduce__()

    @property
    def row_embedding(self) -> np.ndarray:
        """The embeddings of the rows, float32 (len(rows), 1280)."""
        return self.embedding[self.rows]


def map_images(embedding: np.ndarray, pixels: np.ndarray, scratch: Path, how: AugmentParams = STANDARD) -> MappedImages:
    """Return all rows of embeddings (n, 1280) and pixels (n, 224, 224, 3)."""
    return MappedImages(embedding, pixels, scratch, np.arange(len(embedding)), how)


def load_images(dev: Dataset, data: Path, model: str, how: AugmentParams) -> MappedImages:
    """Return the development set's images, whose pixels `preprocess` wrote to the folder `data`, for one model."""
    pixels = np.load(data / "dev_pixels.npy", mmap_mode="r")
    return map_images(np.asarray(dev.X("embedding")), pixels, paths.CACHE / "training" / model, how)


def open_images(embedding: np.ndarray, file: str, scratch: Path, rows: np.ndarray, how: AugmentParams) -> MappedImages:
    """Return images whose pixels are mapped from a .npy file."""
    return MappedImages(embedding, np.load(file, mmap_mode="r"), scratch, rows, how)


def scratch_key(*parts: Any) -> str:
    """Return 16 hex digits that identify arrays and JSON content, for the name of a scratch file."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.tobytes() if isinstance(part, np.ndarray) else json.dumps(part, sort_keys=True).encode()
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()[:16]


def block_input(model: Any, block: str) -> Any:
    """Return the tensor, (n, height, width, n_channels), that enters `block` of a Keras `model` made by `_network.build`."""
    return model.get_layer(f"{block}_expand").input


def frozen_maps(X: MappedImages, block: str, n_views: int, seed: int, label: str) -> np.memmap:
    """Return the input of `block`, float16 (n, n_views, height, width, n_channels), mapped from a file.

    It covers all images that X was taken from, whatever rows are left in X; the first view of each is the image itself. The
    file is written to X's scratch folder unless it exists.
    """
    weights = require(paths.WEIGHTS, "backbone").read_bytes()
    key = scratch_key(artifacts.sha256(weights), block, n_views, seed, X.embedding, X.how.model_dump())
    path = X.scratch / f"maps-{key}.npy"
    if not path.exists():
        model = _network.build(dict(np.load(paths.WEIGHTS)))
        maps = block_input(model, block)
        program = _network.convert(_network.import_keras().Model(model.input, maps))
        done = tqdm(run(program, X.pixels, n_views, seed, X.how), f"{label}: frozen blocks", len(X.pixels), delay=3)
        with artifacts.writing_npy(path, np.float16, (len(X.pixels), n_views, *maps.shape[1:])) as write_row:
            for maps_of_image in done:
                write_row(maps_of_image)
    return np.load(path, mmap_mode="r")


def run(program: bytes, pixels: np.ndarray, n_views: int, seed: int, how: AugmentParams) -> Iterator[np.ndarray]:
    """Yield the maps of each image's views, float16 (n_views, height, width, n_channels)."""
    embedder = litert.Embedder(program)

    def of_image(row: int) -> np.ndarray:
        augmented = augment(pixels[row], n_views, np.random.default_rng([seed, row]), how)
        return np.stack([embedder(view) for view in augmented]).astype(np.float16)

    return run_here(of_image, range(len(pixels)), _network.threads())
