"""A random forest whose leaves are smoothed: it never answers 0 or 1.

A leaf of a few samples of one class gives it a share of 1, and where all trees agree so does the forest; one such answer that
is wrong costs more log loss than hundreds of right ones save. Each leaf's shares are therefore mixed with those of all
samples, as if it held `smoothing` more samples of these (an m-estimate; Cestnik 1990). Log loss on nine tables:
benchmarks/tables.md.
"""

from typing import Any, Literal

from pydantic import Field

from pipeline.core.strict import Strict
from pipeline.estimators._protocol import Classifier

FEATURES = ("embedding", "classical", "columns")


class Params(Strict):
    """n_estimators: number of trees; min_samples_leaf: least number of samples in a leaf, more give smoother probabilities.

    smoothing: how many samples of the classes' frequencies each leaf is mixed with; 0 for none.
    """

    n_estimators: int = Field(100, ge=1)
    min_samples_leaf: int = Field(1, ge=1)
    smoothing: float = Field(0.25, ge=0, allow_inf_nan=False)
    class_weight: Literal["balanced"] | None = None


def build(params: Params, seed: int) -> Classifier:
    """Return an unfitted pipeline."""
    from sklearn.ensemble import RandomForestClassifier

    from pipeline.estimators._prepare import SavedAsBase, prepared

    class SmoothedForest(SavedAsBase, RandomForestClassifier):
        def fit(self, X: Any, y: Any) -> Any:
            """Fit, and smooth the leaves."""
            super().fit(X, y)
            for tree in self.estimators_:
                smooth(tree.tree_, params.smoothing)
            return self

    return prepared(
        SmoothedForest(
            n_estimators=params.n_estimators,
            min_samples_leaf=params.min_samples_leaf,
            class_weight=params.class_weight,
            random_state=seed,
        )
    )


def smooth(tree: Any, amount: float) -> None:
    """Mix the class shares of each node of a fitted tree with those at its root, which stand for `amount` samples."""
    shares, n = tree.value[:, 0], tree.weighted_n_node_samples[:, None]
    tree.value[:, 0] = (shares * n + amount * shares[0]) / (n + amount)
