"""K nearest neighbours on standardised features.

In a table many rows are equally far, and rounding must not choose among them. A tree subtracts one row from another, so a row has
the same neighbours alone, in any batch, in the folds and from the file. Embeddings and classical features, float32, are searched
by a matrix product, thirty times as fast with 2,000 images, whose last bits depend on the batch. There nothing but copies of an
image is equally far, and these have one label: the audit leaves out others. Answers differ by 1e-6 at most. The user's own
features may be whole numbers or mostly zeros, of which many images are equally far: these are searched as a table is.
"""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from pipeline.core.errors import ParamsError
from pipeline.core.strict import Strict
from pipeline.estimators._protocol import Classifier

FEATURES = ("embedding", "classical", "columns")
FEW = 100  # features of an image that are searched as a table is: the user's own may be a few whole numbers
SHARE, MANY = 4, 100  # as a table, too, unless half of the features have n / SHARE or MANY different values ...
ROWS = 2000  # ... among n of the rows, at most about so many


class Params(Strict):
    """n_neighbors: how many vote; weights: equal, or the inverse of their distance."""

    n_neighbors: int = Field(15, ge=1)
    weights: Literal["uniform", "distance"] = "distance"


def check_size(params: Params, n_samples: int, where: str) -> None:
    """Raise ParamsError where the smallest training fold has fewer samples than neighbours."""
    if params.n_neighbors > n_samples:
        raise ParamsError(
            f"{where}.n_neighbors: found {params.n_neighbors}; a training fold has {n_samples} samples only"
        )


def build(params: Params, seed: int) -> Classifier:
    """Return an unfitted pipeline."""
    from sklearn.neighbors import KNeighborsClassifier

    from pipeline.estimators._prepare import SavedAsBase, prepared

    class Neighbours(SavedAsBase, KNeighborsClassifier):
        def fit(self, X: Any, y: Any) -> Any:
            """Choose the search by what X is, and fit."""
            is_image = X.dtype == np.float32 and X.shape[1] > FEW and not has_ties(X)
            self.algorithm = "brute" if is_image else "ball_tree"
            return super().fit(X, y)

    return prepared(Neighbours(n_neighbors=params.n_neighbors, weights=params.weights))


def has_ties(X: Any) -> bool:
    """Return whether rows of X (n, n_features) may be equally far from another one without being copies."""
    some = X[:: max(1, len(X) // ROWS)]
    distinct = [len(np.unique(column)) for column in some.T]
    return bool(np.median(distinct) < min(len(some) / SHARE, MANY))
