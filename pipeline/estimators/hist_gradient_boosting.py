"""Gradient-boosted trees on histograms, small and slow enough for tables of some hundred rows (benchmarks/tables.md)."""

from pydantic import Field

from pipeline.core.strict import Strict
from pipeline.estimators._protocol import Classifier

FEATURES = ("embedding", "classical", "columns")


class Params(Strict):
    """learning_rate and max_iter: the weight of a tree and how many there are; max_leaf_nodes: leaves of a tree.

    min_samples_leaf: least number of samples in a leaf; l2_regularization: penalty on a leaf's value.
    """

    learning_rate: float = Field(0.03, gt=0, allow_inf_nan=False)
    max_iter: int = Field(150, ge=1)
    max_leaf_nodes: int = Field(7, ge=2)
    min_samples_leaf: int = Field(20, ge=1)
    l2_regularization: float = Field(0.0, ge=0, allow_inf_nan=False)


def build(params: Params, seed: int) -> Classifier:
    """Return an unfitted pipeline."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    from pipeline.estimators._prepare import prepared

    return prepared(HistGradientBoostingClassifier(**params.model_dump(), early_stopping=False, random_state=seed))
