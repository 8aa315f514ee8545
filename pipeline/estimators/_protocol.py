"""The protocol of estimators: what a file of this folder defines, and the model that stages fit.

Start with `Estimator`: three names are required, the rest are optional hooks with defaults. `build` returns a scikit-learn
classifier, or a `Model` where one of its defaults does not fit. `get_estimator` finds a file and fills in the defaults.
"""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.core import artifacts
from pipeline.core.artifacts import JSON
from pipeline.core.errors import ParamsError
from pipeline.core.installed_class import is_class_name
from pipeline.core.strict import Strict

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class Classifier(Protocol):
    """A scikit-learn classifier; it is saved by joblib."""

    def fit(self, X: Any, y: "np.ndarray") -> "Classifier":
        """Fit on features X (n, ...) and class indices y, int (n,); return itself."""

    def predict_proba(self, X: Any) -> "np.ndarray":
        """Return probabilities (n, n_classes)."""


@dataclass(frozen=True)
class Durations:
    """Seconds of a fit: `fit` whatever its size, `learnt` for each sample it learns from, `held_out` for each left out.

    may_stop: whether it may end before its last epoch.
    """

    fit: float
    learnt: float
    held_out: float
    may_stop: bool = False


class Model(ABC):
    """A model as the stages use it, before and after it is fitted.

    history_: a DataFrame with epoch, loss and val_loss (NaN where nothing was held out); None where there are no epochs.
    chosen_: what the fit itself chose, which the candidate keeps with its hyperparameters.
    """

    history_: "pd.DataFrame | None" = None
    chosen_: "JSON | None" = None

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

    def durations(self, X: Any, y: "np.ndarray", label: str) -> "Durations | None":
        """Measure how long parts of a fit take; None where a fit is too short for a message."""
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


def accept(params: Any, value: Any, where: str) -> None:
    """Accept what a hook without a file of its own would refuse."""


def all_workers(workers: int) -> int:
    """Return how many fits may run side by side: as many as there are threads, each fit with one."""
    return workers


@dataclass(frozen=True)
class Estimator:
    """What a file of this folder defines, under these names; the last three have defaults.

    FEATURES : which features it accepts, of embedding, classical, pixels and columns
    Params : its own keys in params.yaml
    build : (params, seed) -> an unfitted classifier or `Model`; equal arguments and data give equal bytes
    check : (params, features, where): raise ParamsError, beginning with `where`, unless the parameters fit the features
    check_size : (params, n_samples, where): raise it where the smallest training fold, of `n_samples`, is too small
    use_workers : prepare this process for fits that share so many threads; return how many fits may run side by side

    A pipeline that ends in a LogisticRegression or RandomForestClassifier of scikit-learn answers without importing it, and the
    first is explained exactly: `prediction.light_model` knows them by the names of their classes.
    """

    FEATURES: tuple[str, ...]
    Params: type[Strict]
    build: Callable[[Any, int], Classifier | Model]
    check: Callable[[Any, str, str], None] = accept
    check_size: Callable[[Any, int, str], None] = accept
    use_workers: Callable[[int], int] = all_workers

    def make_model(self, params: Any, seed: int, workers: int) -> Model:
        """Return an unfitted model. Call it in the process that fits, which it prepares for `workers` threads."""
        self.use_workers(workers)
        built = self.build(params, seed)
        return built if isinstance(built, Model) else ClassifierModel(built)


def get_estimator(name: str) -> Estimator:
    """Return the estimator in the file `name`, one of `code_hashes.estimator_names`, or of the class `package.module:Class`.

    Raises ParamsError where the file lacks a name.
    """
    if is_class_name(name):
        from pipeline.estimators import _installed

        _installed.load_class(name)
        return Estimator(
            _installed.FEATURES, _installed.Params, partial(_installed.build, name), partial(_installed.check, name)
        )
    defined = vars(importlib.import_module(f"{__package__}.{name}"))
    if lacking := [part.name for part in fields(Estimator) if part.default is MISSING and part.name not in defined]:
        raise ParamsError(
            f"pipeline/estimators/{name}.py lacks {', '.join(lacking)}: see docs/how-to/add-an-estimator.md"
        )
    return Estimator(**{part.name: defined[part.name] for part in fields(Estimator) if part.name in defined})
