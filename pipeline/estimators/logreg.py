"""Logistic regression on standardised features, multinomial for more than two classes."""

from typing import Literal

from pydantic import Field

from pipeline.core.strict import Strict
from pipeline.estimators._protocol import Classifier

FEATURES = ("embedding", "classical", "columns")


class Params(Strict):
    """C: inverse strength of the L2 penalty; 0.001 suits 1,280 features of hundreds to thousands of samples, 1 a table.

    class_weight: `balanced` gives classes equal weight and shifts probabilities away from their frequencies. On seven classes
    of very different size it also ranks samples worse: ROC AUC 0.879 against 0.913 (benchmarks/network.md).
    """

    C: float = Field(1.0, gt=0)
    class_weight: Literal["balanced"] | None = None


def build(params: Params, seed: int) -> Classifier:
    """Return an unfitted pipeline."""
    from sklearn.linear_model import LogisticRegression

    from pipeline.estimators._prepare import prepared

    # 5,000 steps: an upper bound that lbfgs does not reach on standardised features
    return prepared(LogisticRegression(C=params.C, class_weight=params.class_weight, max_iter=5000, random_state=seed))
