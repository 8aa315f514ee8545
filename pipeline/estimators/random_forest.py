"""A random forest."""

from typing import Literal

from pydantic import Field

from pipeline.core.params_models import Strict
from pipeline.estimators._protocol import Classifier

FEATURES = ("embedding", "classical", "columns")


class Params(Strict):
    """n_estimators: number of trees; min_samples_leaf: least number of samples in a leaf, more give smoother probabilities."""

    n_estimators: int = Field(100, ge=1)
    min_samples_leaf: int = Field(1, ge=1)
    class_weight: Literal["balanced"] | None = None


def build(params: Params, seed: int) -> Classifier:
    """Return an unfitted pipeline."""
    from sklearn.ensemble import RandomForestClassifier

    from pipeline.estimators._prepare import prepared

    return prepared(
        RandomForestClassifier(
            n_estimators=params.n_estimators,
            min_samples_leaf=params.min_samples_leaf,
            class_weight=params.class_weight,
            random_state=seed,
        )
    )
