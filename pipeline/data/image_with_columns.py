"""Clinical columns of an image, such as age, sex or site: one sample is the features of the image and a row of a table.

numpy and pandas are imported for type checkers only, so that the first page of the app does not wait for them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.core.feature_names import AND

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from pipeline.core.mapped_rows import MappedRows


def has_columns(features: str) -> bool:
    """Return whether a model takes clinical columns in addition to the image."""
    return features.endswith(AND)


def image_part(features: str) -> str:
    """Return the name of the image features alone: "embedding" for "embedding+columns"."""
    return features.removesuffix(AND)


@dataclass(frozen=True)
class ImageWithColumns:
    """Samples as `image`, float32 (n, n_features), and `columns`, a DataFrame of n rows made by `tables.typed`.

    Indexed by row numbers or a slice, as an array is.
    """

    image: "np.ndarray | MappedRows"
    columns: "pd.DataFrame"

    def __len__(self) -> int:
        return len(self.image)

    @property
    def shape(self) -> tuple[int, int]:
        """The number of samples, and of features of both kinds."""
        return len(self.image), self.image.shape[1] + self.columns.shape[1]

    def __getitem__(self, rows: "np.ndarray | slice") -> "ImageWithColumns":
        return ImageWithColumns(self.image[rows], self.columns.iloc[rows])

    def with_images(self, images: "np.ndarray") -> "ImageWithColumns":
        """Return other images, float32 (m, n_features), each with the columns of this single sample."""
        return ImageWithColumns(images, self.columns.iloc[[0] * len(images)])
