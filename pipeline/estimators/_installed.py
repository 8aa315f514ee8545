"""Any classifier of an installed package that follows scikit-learn: `estimator: package.module:Class` in params.yaml.

The class's own parameters are keys of the model's block. They are checked against its signature, and by scikit-learn's own
checks where the class has them, before the first stage runs. Features are prepared as for every other estimator.
"""

import difflib
import importlib
import inspect
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ConfigDict

from pipeline.core.errors import DataError, ParamsError
from pipeline.core.installed_class import CLASS_NAME
from pipeline.core.strict import Strict
from pipeline.estimators._protocol import ClassifierModel

FEATURES = ("embedding", "classical", "columns")
# Given unless params.yaml does. More threads change the last bits of sums, and folds run side by side anyway.
N_JOBS = 1
SUMS = 1e-4  # how far probabilities may be from a sum of 1: float32 of many classes
ALONE = 5  # samples of a fit that are also asked one by one
NEAR = 0.8  # of a key that only **kwargs would take: so like a parameter that it is a misspelling


class Params(Strict):
    """The class's own parameters; `check` refuses those that it does not have."""

    model_config = ConfigDict(extra="allow", frozen=True)

    @property
    def given(self) -> dict[str, Any]:
        """The parameters by name."""
        return dict(self.model_extra or {})


def load_class(name: str) -> type:
    """Return the class `package.module:Class`; raise ParamsError where it cannot be imported or is none."""
    if not CLASS_NAME.fullmatch(name):
        raise ParamsError(f"{name!r} is not the name of a class; expected package.module:Class")
    module_name, _, class_name = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # a module may raise anything, for instance OSError for a library that is not there
        raise ParamsError(
            f"{module_name} cannot be imported ({error}): install its package where Assay trains and where it answers"
        ) from None
    cls = getattr(module, class_name, None)
    if not inspect.isclass(cls):
        classes = [key for key, value in vars(module).items() if inspect.isclass(value) and hasattr(value, "fit")]
        near = difflib.get_close_matches(class_name, classes, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ParamsError(f"{module_name} has no class {class_name!r}{hint}")
    return cls


def signature(cls: type) -> tuple[list[str], list[str], bool]:
    """Return a class's parameters, those of them without a default, and whether it takes further ones (**kwargs).

    With these, what `get_params` of an instance names counts too: XGBoost's classifiers have theirs in a parent class.
    """
    try:
        parts = inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    except (TypeError, ValueError):  # of a class written in C
        return [], [], True
    own = [part for name, part in parts.items() if name != "self"]
    named = [part for part in own if part.kind in (part.KEYWORD_ONLY, part.POSITIONAL_OR_KEYWORD)]
    needed = [part.name for part in named if part.default is part.empty]
    is_open = any(part.kind is part.VAR_KEYWORD for part in own)
    names = [part.name for part in named]
    if is_open and not needed and hasattr(cls, "get_params"):
        with suppress(Exception):  # of another project's code
            names += [name for name in cls().get_params() if name not in names]
    return names, needed, is_open


def make(name: str, given: dict[str, Any], seed: int) -> Any:
    """Return an unfitted instance with the parameters that are given, the seed, and one thread."""
    cls = load_class(name)
    names, _, _ = signature(cls)
    # scikit-learn's None means one, and LogisticRegression warns of any other value; elsewhere it may mean all cores
    threads = {} if cls.__module__.startswith("sklearn.") else {"n_jobs": N_JOBS}
    fixed = {key: value for key, value in ({"random_state": seed} | threads).items() if key in names}
    return cls(**fixed | given)


class InstalledModel(ClassifierModel):
    """A model of another project's class, whose errors become a sentence, and whose probabilities are checked."""

    def fit(
        self, X: Any, y: np.ndarray, groups: np.ndarray, label: str, held_out: tuple[Any, np.ndarray] | None = None
    ) -> "InstalledModel":
        """Fit on X and y; raise DataError where the class refuses them."""
        classes = list(range(int(y.max()) + 1))
        with refusing(f"{label}: {self.name} cannot be fitted on these features, which are imputed and standardised"):
            self.classifier.fit(X, y)
        fitted = np.asarray(getattr(self.classifier[-1], "classes_", classes)).tolist()  # type: ignore[index]
        if fitted != classes:
            raise DataError(
                f"{label}: {self.name} has the classes_ {fitted}; expected those it was fitted on, {classes}"
            )
        self.n_classes_ = len(classes)
        self._check_alone(X[:ALONE], label)
        return self

    def _check_alone(self, X: Any, label: str) -> None:
        """Raise DataError where an answer depends on who else is asked: out of fold many are, a patient is alone."""
        together = self.predict_proba(X)
        alone = [self.predict_proba(X[k : k + 1])[0] for k in range(len(X))]
        if not np.allclose(together, alone, rtol=0, atol=SUMS):
            raise DataError(
                f"{label}: {self.name}.predict_proba answers a sample alone otherwise than among others; expected the same"
            )

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return probabilities (n, n_classes); raise DataError for anything else."""
        with refusing(f"{self.name}.predict_proba cannot be computed"):
            proba = np.asarray(self.classifier.predict_proba(X), dtype=float)
        expected = (len(X), self.n_classes_)
        if proba.shape != expected or not np.allclose(proba.sum(axis=1), 1, atol=SUMS) or (proba < 0).any():
            given = "some that are missing, negative or do not sum to 1" if proba.shape == expected else proba.shape
            raise DataError(f"{self.name}.predict_proba: expected probabilities of shape {expected}, got {given}")
        return proba

    def save(self, folder: Path) -> None:
        """Write model.joblib; raise DataError where the class cannot be saved."""
        with refusing(f"{self.name} cannot be saved as {folder.as_posix()}/model.joblib"):
            super().save(folder)

    @property
    def name(self) -> str:
        """The name of the class."""
        return type(self.classifier[-1]).__name__  # type: ignore[index]


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Raise DataError, beginning with `what`, for whatever another project's code raises, an exit included."""
    try:
        yield
    except (Exception, SystemExit) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{what}: {reason}") from error


def build(name: str, params: Params, seed: int) -> InstalledModel:
    """Return an unfitted pipeline of preparation and the class `name`."""
    from pipeline.estimators._prepare import prepared

    return InstalledModel(prepared(make(name, params.given, seed)))


def check(name: str, params: Params, features: str, where: str) -> None:
    """Raise ParamsError, beginning with `where`, for parameters that the class refuses, or one that gives no probabilities."""
    from sklearn.base import is_classifier

    cls = load_class(name)
    check_names(cls, params.given, where)
    try:
        instance = make(name, params.given, 0)
        if hasattr(instance, "_parameter_constraints"):  # scikit-learn's own checks of values
            instance._validate_params()
    except Exception as error:  # of another project's code
        raise ParamsError(f"{where}: {cls.__name__} refuses its parameters: {' '.join(str(error).split())}") from None
    if not hasattr(instance, "__sklearn_tags__"):
        raise ParamsError(
            f"{where}.estimator: {cls.__name__} cannot stand in a pipeline of scikit-learn; expected a class derived from "
            "sklearn.base.ClassifierMixin and BaseEstimator"
        )
    if not hasattr(instance, "fit") or not is_classifier(instance):
        raise ParamsError(f"{where}.estimator: {cls.__name__} is no classifier in the sense of scikit-learn")
    if not hasattr(instance, "predict_proba"):
        raise ParamsError(
            f"{where}.estimator: {cls.__name__} gives no probabilities (predict_proba) with these parameters; choose a class "
            "that does, or set the parameter that it has for it"
        )


def check_names(cls: type, given: dict[str, Any], where: str) -> None:
    """Raise ParamsError for a parameter that the class does not have, or one that it needs and is not given."""
    names, needed, is_open = signature(cls)
    for key in sorted(given.keys() - set(names)):
        near = difflib.get_close_matches(key, names, n=1, cutoff=NEAR if is_open else 0.6)
        if is_open and not near:
            continue
        hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(names) or 'none'}"
        raise ParamsError(f"{where}.{key}: {cls.__name__} has no such parameter; {hint}")
    if lacking := [key for key in needed if key not in given]:
        raise ParamsError(
            f"{where}: {cls.__name__} needs {', '.join(lacking)}, for which it has no default: give it a value, or write a "
            "file as docs/how-to/add-an-estimator.md says"
        )
