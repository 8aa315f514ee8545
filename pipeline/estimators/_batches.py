"""Batches of frozen feature maps for Keras. Import it inside functions only: it imports TensorFlow."""

import numpy as np

from pipeline.estimators import _network

keras = _network.import_keras()


class Batches(keras.utils.PyDataset):  # type: ignore[misc, name-defined]
    """Batches of maps float32 (size, height, width, n_channels), y and weight, starting at `epoch`.

    `maps`, float16 (n_all, n_views, height, width, n_channels), are read one batch at a time; `rows`, int (n,), are used.
    With a `seed` order and views are drawn for each epoch; without, rows keep their order and have their first view.
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
        batch = slice(index * self.size, (index + 1) * self.size)
        samples = self.order[batch]
        maps = self.maps[self.rows[samples], self.view[batch]]
        return maps.astype(np.float32), self.y[samples], self.weight[samples]

    def on_epoch_end(self) -> None:
        """Draw order and views of the next epoch."""
        self.epoch += 1
        self._draw()

    def _draw(self) -> None:
        if self.seed is None:
            self.order, self.view = np.arange(len(self.y)), np.zeros(len(self.y), int)
        else:
            rng = np.random.default_rng([self.seed, self.epoch])
            self.order, self.view = rng.permutation(len(self.y)), rng.integers(self.maps.shape[1], size=len(self.y))
