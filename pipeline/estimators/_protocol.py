"""The protocol of estimators: what a file of this folder defines, and the model that stages fit.

Start with `Estimator`: three names are required, the rest are optional hooks with defaults. `build` returns a scikit-learn
classifier, or a `Model` where one of its defaults does not fit. `get_estimator` finds a file and fills in the defaults.
"""

import importlib
import pkgutil
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.core import artifacts
from pipeline.core.errors import ParamsError
from pipeline.core.params_models import Strict

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

REQUIRED = ("FEATURES", "Params", "build")
OPTIONAL = ("check", "check_size", "use_workers")


class Classifier(Protocol):
    """A scikit-learn classifier; it is saved by joblib."""

    def fit(self, X: Any, y: "np.ndarray") -> "Classifier":
        """Fit on features X (n, ...) and class indices y, int (n,); return itself."""

    def predict_proba(self, X: Any) -> "np.ndarray":
        """Return probabilities (n, n_classes)."""


class Model(ABC):
    """A model as the stages use it, before and after it is fitted.

    history_: a DataFrame with epoch, loss and val_loss (NaN where nothing was held out); None where there are no epochs.
    """

    history_: "pd.DataFrame | None" = None

    @abstractmethod
    def fit(
        self,
        X: Any,
        y: "np.ndarray",
        groups: "np.ndarray",
        label: str,
        held_out: "tuple[Any, np.ndarray] | None" = None,
    ) -> "Model":
        """Fit on X, class indices y (n,) and the samples' groups, str (n,); return itself.

        `label` begins each progress line. `held_out` (X, y) is for val_loss alone and must not influence the fit.
        """

    @abstractmethod
    def predict_proba(self, X: Any) -> "np.ndarray":
        """Return probabilities (n, n_classes)."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write `model.*` to `folder`: the same bytes for the same model."""

    def seconds_per_sample(self, X: Any, y: "np.ndarray", label: str) -> float | None:
        """Measure how long one sample takes in a whole fit; None where a fit is too short for a message."""
        return None


class ClassifierModel(Model):
    """A scikit-learn classifier as a `Model`."""

    def __init__(self, classifier: Classifier):
        self.classifier = classifier

    def fit(
        self,
        X: Any,
        y: "np.ndarray",
        groups: "np.ndarray",
        label: str,
        held_out: "tuple[Any, np.ndarray] | None" = None,
    ) -> "ClassifierModel":
        """Fit on X and y; groups and held-out samples are not used."""
        self.classifier.fit(X, y)
        return self

    def predict_proba(self, X: Any) -> "np.ndarray":
        """Return probabilities (n, n_classes)."""
        return self.classifier.predict_proba(X)

    def save(self, folder: Path) -> None:
        """Write model.joblib."""
        import joblib

        with artifacts.replacing(folder / "model.joblib") as part:
            joblib.dump(self.classifier, part)


class Estimator(Protocol):
    """A file of this folder. FEATURES, Params and build are required; the others are the defaults of a file that lacks them.

    FEATURES: which features it accepts, of embedding, classical, pixels and columns. Params: its own keys in params.yaml.
    """

    FEATURES: tuple[str, ...]
    Params: type[Strict]

    def build(self, params: Any, seed: int) -> Classifier | Model:
        """Return an unfitted classifier or model; equal arguments and data give equal bytes."""

    def check(self, params: Any, features: str, where: str) -> None:
        """Raise ParamsError, beginning with `where`, unless the parameters fit the features."""
        return None

    def check_size(self, params: Any, n_samples: int, where: str) -> None:
        """Raise ParamsError, beginning with `where`, where the smallest training fold, of `n_samples`, is too small."""
        return None

    def use_workers(self, workers: int) -> int:
        """Prepare this process for fits that share `workers` threads; return how many fits may run side by side."""
        return workers


class RegisteredEstimator(Estimator):
    """The estimator of this name with every hook; raises ParamsError where its file lacks what is required."""

    def __init__(self, name: str):
        defined = vars(importlib.import_module(f"{__package__}.{name}"))
        if lacking := [key for key in REQUIRED if key not in defined]:
            raise ParamsError(
                f"pipeline/estimators/{name}.py lacks {', '.join(lacking)}: see docs/how-to/add-an-estimator.md"
            )
        vars(self).update({key: defined[key] for key in (*REQUIRED, *OPTIONAL) if key in defined})

    def make_model(self, params: Any, seed: int, workers: int) -> Model:
        """Return an unfitted model. Call it in the process that fits, which it prepares for `workers` threads."""
        self.use_workers(workers)
        built = self.build(params, seed)
        return built if isinstance(built, Model) else ClassifierModel(built)


def estimator_names() -> list[str]:
    """Return the names of the estimators, sorted: the files of this folder without a leading underscore."""
    return sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]) if module.name[0] != "_")


def get_estimator(name: str) -> RegisteredEstimator:
    """Return the estimator `name`, one of `estimator_names`."""
    return RegisteredEstimator(name)  # type: ignore[abstract] # what is required is set from the file
