"""Pictures on their way into a network that is fine-tuned: drawn views, and batches of what frozen blocks make of these."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core import paths


@dataclass(frozen=True)
class Pictures:
    """Samples as both cached embeddings, float32 (n, 1280), and pixels, uint8 (n, 224, 224, 3), mapped from disk.

    Indexed by row numbers, it stays a view: no pixel is read before it is asked for. `scratch` is the folder for what training
    keeps until it has ended.
    """

    embedding: np.ndarray
    pixels: np.ndarray
    scratch: Path
    rows: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.rows is None:
            object.__setattr__(self, "rows", np.arange(len(self.embedding)))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: np.ndarray) -> "Pictures":
        return Pictures(self.embedding, self.pixels, self.scratch, self.rows[rows])

    def __reduce__(self) -> tuple:
        """Sent to another process, mapped pixels stay in their file, which is mapped there."""
        file = getattr(self.pixels, "filename", None)
        content = (self.embedding, str(file), self.scratch, self.rows)
        return (open_pictures, content) if file else super().__reduce__()


def load_pictures(dev: Any, data: Path, name: str) -> Pictures:
    """Return the development set's pictures, whose pixels `preprocess` wrote to the folder `data`, for the model `name`."""
    return Pictures(
        dev.X("embedding"), np.load(data / "dev_pixels.npy", mmap_mode="r"), paths.CACHE / "training" / name
    )


def open_pictures(embedding: np.ndarray, file: str, scratch: Path, rows: np.ndarray) -> Pictures:
    """Return pictures whose pixels are mapped from a .npy file."""
    return Pictures(embedding, np.load(file, mmap_mode="r"), scratch, rows)


def views(picture: np.ndarray, n_views: int, rng: np.random.Generator) -> np.ndarray:
    """Return uint8 (n_views, side, side, 3): the picture, and others flipped, turned by quarters, and changed in light and
    contrast by up to 20 %.

    Dermoscopy and histology have no up or down; the changes of light are those between two cameras.
    """
    drawn = [picture]
    while len(drawn) < n_views:
        turned = np.rot90(picture, rng.integers(4))
        turned = turned[:, ::-1] if rng.integers(2) else turned
        light, contrast = rng.uniform(0.8, 1.2, 2)
        # one look-up table a picture: eight times quicker than float arithmetic on its pixels
        table = np.clip((np.arange(256) - 128) * contrast + 128 * light, 0, 255).astype(np.uint8)
        drawn.append(table[turned])
    return np.stack(drawn)


def make_batches(keras: Any) -> type:
    """Return a Keras data set class over frozen maps, reading one batch at a time."""

    class Batches(keras.utils.PyDataset):
        """Batches of maps float32 (size, height, width, n_channels), y and weight, from `epoch` on.

        `maps` float16 (all, n_views, height, width, n_channels), of which `rows` int (n,) are shown, in an order and by views
        that are drawn for each epoch; without a `seed` in their own order, by their first view.
        """

        def __init__(
            self,
            maps: np.ndarray,
            rows: np.ndarray,
            y: np.ndarray,
            weight: np.ndarray,
            size: int,
            seed: int | None = None,
            epoch: int = 0,
        ):
            super().__init__(workers=1)
            self.maps, self.rows, self.y, self.weight = maps, rows, y, weight
            self.size, self.seed, self.epoch = size, seed, epoch
            self._draw()

        def __len__(self) -> int:
            return -(-len(self.y) // self.size)

        def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            at = slice(index * self.size, (index + 1) * self.size)
            chosen = self.order[at]
            maps = self.maps[self.rows[chosen], self.view[at]]
            return maps.astype(np.float32), self.y[chosen], self.weight[chosen]

        def on_epoch_end(self) -> None:
            self.epoch += 1
            self._draw()

        def _draw(self) -> None:
            if self.seed is None:
                self.order, self.view = np.arange(len(self.y)), np.zeros(len(self.y), int)
            else:
                rng = np.random.default_rng([self.seed, self.epoch])
                self.order, self.view = rng.permutation(len(self.y)), rng.integers(self.maps.shape[1], size=len(self.y))

    return Batches
