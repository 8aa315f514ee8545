"""The baseline: predict the class frequencies. A model that is not better has learnt nothing."""

from pipeline.core.strict import Strict
from pipeline.estimators._protocol import Classifier

FEATURES = ("embedding", "classical", "columns")


class Params(Strict):
    """It has none."""


def build(params: Params, seed: int) -> Classifier:
    """Return an unfitted classifier."""
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior")
