"""Columns beside a picture, such as age, sex or site: features of one sample together with what is seen of its picture.

numpy and pandas are named only: the app's first page does not wait for them.
"""

from dataclasses import dataclass

from pipeline.core.params_models import AND


def has_columns(features: str) -> bool:
    """Return whether a model is given columns beside the picture."""
    return features.endswith(AND)


def image_part(features: str) -> str:
    """Return what a model sees of the picture alone: "embedding" of "embedding+columns"."""
    return features.removesuffix(AND)


@dataclass(frozen=True)
class Beside:
    """Samples as `picture`, float32 (n, n_features), and `columns`, a DataFrame of n rows made by `tables.typed`.

    Indexed by row numbers or a slice, as an array is.
    """

    picture: "numpy.ndarray"  # noqa: F821
    columns: "pandas.DataFrame"  # noqa: F821

    def __len__(self) -> int:
        return len(self.picture)

    @property
    def shape(self) -> tuple[int, int]:
        """Samples, and features of either kind."""
        return len(self.picture), self.picture.shape[1] + self.columns.shape[1]

    def __getitem__(self, rows: "numpy.ndarray | slice") -> "Beside":  # noqa: F821
        return Beside(self.picture[rows], self.columns.iloc[rows])

    def seen_as(self, picture: "numpy.ndarray") -> "Beside":  # noqa: F821
        """Return other pictures, float32 (m, n_features), each with the columns of this one sample."""
        return Beside(picture, self.columns.iloc[[0] * len(picture)])
