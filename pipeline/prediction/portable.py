"""The model's file in a bundle: it answers as Assay answers, to whoever loads it without Assay.

Calibration and class names are inside. `model.joblib` is a pipeline of scikit-learn's own classes around the fitted model,
`model.keras` the network with the calibration as its last layers. Numbers to be scaled are those of `decision_rule.calibrate`.
"""

import io
import pickle
from typing import Any

import numpy as np

from pipeline.core.errors import BundleError
from pipeline.prediction.decision_rule import SHRINK, DecisionRule

EXACT = 1e-12  # instead of SHRINK where nothing is calibrated: the logarithm of 0 is not finite


def scaling(rule: DecisionRule, n_classes: int) -> tuple[float, np.ndarray, np.ndarray]:
    """Return how much of a probability is shrunk, and W (n_classes, n_classes) and b of the softmax over logarithms.

    With two classes, the softmax of 0 and a logit is the sigmoid of the logit.
    """
    calibration = rule.calibration
    if calibration.method == "sigmoid":
        W = np.array([[0.0, -calibration.slope], [0.0, calibration.slope]])
        return SHRINK, W, np.array([0.0, calibration.intercept])
    shrink = EXACT if calibration.method == "none" else SHRINK
    return shrink, np.eye(n_classes) / calibration.temperature, np.zeros(n_classes)


def wrap(model: Any, rule: DecisionRule, classes: list[str]) -> Any:
    """Return a pipeline whose `predict_proba` is calibrated and whose `classes_` are names."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

    n = len(classes)
    amount, W, b = scaling(rule, n)
    shrink = MinMaxScaler()
    shrink.scale_, shrink.min_, shrink.n_features_in_ = np.full(n, 1 - amount), np.full(n, amount / n), n
    last = LogisticRegression()
    last.classes_, last.n_features_in_ = np.array(classes), n
    # With two classes, scikit-learn expects the weights of the second one's logit alone.
    last.coef_, last.intercept_ = ((W[:, 1:] - W[:, :1]).T, b[1:] - b[:1]) if n == 2 else (np.ascontiguousarray(W.T), b)
    steps = [
        ("probabilities", FunctionTransformer(plain(model).predict_proba)),
        ("shrink", shrink),
        ("logarithms", FunctionTransformer(np.log)),
        ("calibrate", last),
    ]
    return Pipeline(steps)


def plain(model: Any) -> Any:
    """Return a fitted pipeline with scikit-learn's own classes in the place of `Prepare`, where they can do what it does."""
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    from pipeline.estimators._prepare import LIMIT, Prepare

    if not isinstance(model, Pipeline) or not isinstance(model[0], Prepare) or model[0].has_clinical_columns:
        return model
    clip = FunctionTransformer(np.clip, kw_args={"a_min": -LIMIT, "a_max": LIMIT})
    return Pipeline([("scale", model[0].transformer_), ("clip", clip), *model.steps[1:]])


class FileModel:
    """A model as it was fitted, which any number of threads may ask."""

    def __init__(self, fitted: Any):
        self.fitted = fitted

    @property
    def steps(self) -> list[tuple[str, Any]]:
        """The named steps of its pipeline; of a classifier without preparation itself."""
        steps: list[tuple[str, Any]] = getattr(self.fitted, "steps", [("classify", self.fitted)])
        return steps

    def predict_proba(self, X: Any) -> Any:
        """Return probabilities (n, n_classes)."""
        from pipeline.estimators._prepare import CHECKS

        with CHECKS:
            return self.fitted.predict_proba(X)


def load(model_joblib: bytes, bundle_id: str, versions: dict[str, str]) -> FileModel:
    """Return the model in a model.joblib; raise BundleError, with the `versions` of training, where a package is missing."""
    import joblib

    from pipeline.estimators import _prepare  # noqa: F401 - what the models in the files are made of

    try:
        return FileModel(unwrap(joblib.load(io.BytesIO(model_joblib))))
    except ImportError as error:
        training = ", ".join(f"{name} {version}" for name, version in versions.items())
        raise BundleError(
            f"{bundle_id} needs the package {error.name or error}, which is not installed here; training had {training}"
        ) from None


def inside(loaded: Any) -> Any:
    """Return the fitted model, before calibration, that a pipeline made by `wrap` asks; of an older bundle, what was loaded."""
    asks = getattr(loaded.steps[0][1] if hasattr(loaded, "steps") else loaded, "func", None)
    return getattr(asks, "__self__", loaded)


def unwrap(loaded: Any) -> Any:
    """Return the fitted model as it was before `wrap`, with a `Prepare` for what scales and clips."""
    from pipeline.estimators._prepare import Prepare

    model = inside(loaded)
    steps = getattr(model, "steps", [])
    if [getattr(step, "func", None) for _, step in steps[1:2]] != [np.clip]:
        return model
    prepare = Prepare()
    prepare.transformer_ = steps[0][1]
    return type(model)([("prepare", prepare), *steps[2:]])


def modules_of(model_joblib: bytes) -> list[str]:
    """Return the packages whose classes and functions a model.joblib names, sorted, without Python's own."""
    import sys

    import joblib

    named: set[str] = set()

    class Names(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            named.add(module.split(".")[0])
            return super().find_class(module, name)

    # joblib's own format puts arrays between the instructions, so the loaded model is pickled plainly
    Names(io.BytesIO(pickle.dumps(joblib.load(io.BytesIO(model_joblib))))).load()
    return sorted(named - sys.stdlib_module_names)
