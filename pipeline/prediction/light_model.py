"""Logistic regressions and forests without scikit-learn and SciPy, which take 90 MB, half a second, and most of a single answer.

A pickle names classes and their attributes. Here the classes become plain holders of attributes, and the arithmetic on them gives
each of many rows the bits that it gets alone. A file with any other class, or with a setting that is not known here, is loaded as
scikit-learn's own. Neither way makes a foreign file safe to load.
"""

import io
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np

from pipeline.data.rows import OneRow
from pipeline.prediction.decision_rule import softmax, two_classes
from pipeline.prediction.portable import inside

LIMIT = 1e6  # as in `estimators._prepare`, whose tests compare the two
PLAIN = {
    **{"builtins.slice": slice, "numpy.clip": np.clip, "numpy.log": np.log},
    **{f"numpy.{name}": getattr(np, name) for name in ("dtype", "ndarray", "float64", "int64")},
}
NUMPY = ("numpy._core.multiarray._reconstruct", "numpy._core.multiarray.scalar")
PREPARE = "pipeline.estimators._prepare.Prepare"
JOBLIB = "joblib.numpy_pickle.NumpyArrayWrapper"


class UnknownPart(Exception):
    """The file has something that only scikit-learn can read."""


class Part:
    """A holder of an object's attributes; subclasses have the names of the classes."""

    def __new__(cls, *arguments: Any) -> "Part":
        """Make it without looking at the arguments, which a tree has."""
        return object.__new__(cls)

    def __init__(self, *arguments: Any) -> None:
        pass

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __reduce__(self) -> tuple[Any, ...]:
        return new_part, (type(self).__name__,), self.__dict__


class Method:
    """A bound method in the file, of which only the object counts."""

    def __init__(self, of: Any, name: str):
        self.__self__ = of


@cache
def part(name: str) -> type[Part]:
    """Return the class that holds the attributes of scikit-learn's class `name`."""
    return type(name, (Part,), {"__module__": __name__})


def new_part(name: str) -> Part:
    """Return an empty holder for an object of scikit-learn's class `name`."""
    return part(name)()


def find(module: str, name: str) -> Any:
    """Return what stands for a class or function that the file names; raise UnknownPart."""
    full = f"{module}.{name}"
    if full in PLAIN:
        return PLAIN[full]
    if full == "builtins.getattr":
        return Method
    if full in NUMPY:
        from numpy._core import multiarray

        return getattr(multiarray, name)
    if full == JOBLIB:
        from joblib.numpy_pickle import NumpyArrayWrapper

        return NumpyArrayWrapper
    if module.startswith("sklearn.") or full == PREPARE:
        return part(name)
    raise UnknownPart(full)


def read(model_joblib: bytes) -> "LightModel | None":
    """Return the model in the file of a candidate or bundle, before calibration; None where scikit-learn has to load it."""
    from joblib.numpy_pickle import NumpyUnpickler

    class Reader(NumpyUnpickler):
        def find_class(self, module: str, name: str) -> Any:
            return find(module, name)

    try:
        loaded = Reader("", io.BytesIO(model_joblib), True).load()
        prepare, *clip, classify = (step for _, step in inside(loaded).steps)
        for step in clip:
            require(step, func=np.clip)
        return LightModel(Prepared(prepare if clip else own_transformer(prepare)), classifier(classify))
    except (UnknownPart, AttributeError, IndexError, TypeError, ValueError, KeyError):
        return None


def own_transformer(prepare: Any) -> Any:
    """Return the transformer of a `Prepare`; raise UnknownPart where it has more, which is for clinical columns."""
    if set(vars(prepare)) != {"transformer_"}:
        raise UnknownPart(type(prepare).__name__)
    return prepare.transformer_


def require(of: Any, **values: Any) -> None:
    """Raise UnknownPart unless attributes have these values."""
    for name, value in values.items():
        if getattr(of, name) != value:
            raise UnknownPart(f"{type(of).__name__}.{name}")


class LightModel:
    """A classifier behind its preparation, which answers and is explained as scikit-learn's pipeline of these."""

    def __init__(self, prepare: "Prepared", classify: "Regression | Forest"):
        self.steps: list[tuple[str, Any]] = [("prepare", prepare), ("classify", classify)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return probabilities, float64 (n, n_classes), of rows as `Prepared` takes them."""
        (_, prepare), (_, classify) = self.steps
        proba: np.ndarray = classify.predict_proba(prepare.transform(X))
        return proba


class Prepared:
    """What `estimators._prepare.Prepare` does, by the attributes of its fitted transformer."""

    def __init__(self, transformer: Part):
        self.transformer_: Any = transformer
        kind = type(transformer).__name__
        if kind == "StandardScaler":
            check_scaler(transformer)
        elif kind == "ColumnTransformer":
            check_table(transformer)
        else:
            raise UnknownPart(kind)

    def transform(self, X: Any) -> np.ndarray:
        """Return X, an array (n, n_features), a DataFrame or `OneRow`, as a float array (n, n_prepared)."""
        if isinstance(X, np.ndarray):
            return standardised(X, self.transformer_).clip(-LIMIT, LIMIT)
        parts = [prepared(X, columns, fitted) for _, fitted, columns in used(self.transformer_)]
        return (np.hstack(parts) if parts else np.empty((len(X), 0))).clip(-LIMIT, LIMIT)


def used(table: Any) -> list[tuple[str, Any, Any]]:
    """Return the parts of a fitted ColumnTransformer that have columns, each as (name, transformer, columns)."""
    return [
        (name, fitted, columns) for name, fitted, columns in table.transformers_ if len(columns) and fitted != "drop"
    ]


def check_scaler(scaler: Any) -> None:
    """Raise UnknownPart unless it subtracts means and divides by scales."""
    require(scaler, with_mean=True, with_std=True)


def check_table(table: Any) -> None:
    """Raise UnknownPart unless its parts are those of `estimators._prepare.of_table`."""
    require(table, remainder="drop", transformer_weights=None)
    for name, fitted, _ in used(table):
        if name == "numbers":
            impute, scaler = (step for _, step in fitted.steps)
            require(impute, strategy="median", add_indicator=False)
            check_scaler(scaler)
            if np.isnan(impute.statistics_.astype(float)).any():
                raise UnknownPart("a column without a number")
        elif name == "choices":
            require(
                fitted, handle_unknown="ignore", sparse_output=False, drop=None, min_frequency=None, max_categories=None
            )
        else:
            raise UnknownPart(name)


def prepared(X: Any, columns: list[str], fitted: Any) -> np.ndarray:
    """Return columns of numbers imputed and standardised, columns of categories one-hot encoded, float64 (n, n_prepared)."""
    if type(fitted).__name__ == "Pipeline":
        impute, scaler = (step for _, step in fitted.steps)
        x = X.numbers(columns) if isinstance(X, OneRow) else X[columns].to_numpy(np.float64)
        return standardised(np.where(np.isnan(x), impute.statistics_.astype(np.float64), x), scaler)
    cells = zip([np.asarray(X[name]) for name in columns], fitted.categories_, strict=True)
    return np.hstack([(column[:, None] == categories).astype(float) for column, categories in cells])


def standardised(X: np.ndarray, scaler: Any) -> np.ndarray:
    """Return X less the means, by the scales, in its own precision."""
    return (X - scaler.mean_.astype(X.dtype)) / scaler.scale_.astype(X.dtype)


def classifier(fitted: Any) -> "Regression | Forest":
    """Return what computes a classifier's probabilities; raise UnknownPart for any other class."""
    kind = type(fitted).__name__
    if kind == "LogisticRegression":
        return Regression(fitted.coef_, fitted.intercept_)
    if kind == "RandomForestClassifier":
        require(fitted, n_outputs_=1)
        return Forest([tree.tree_ for tree in fitted.estimators_])
    raise UnknownPart(kind)


class Regression:
    """A logistic regression, in float64 where scikit-learn's has float32 for images: they differ by 1e-6."""

    def __init__(self, coef: np.ndarray, intercept: np.ndarray):
        self.coef_, self.intercept_ = coef, intercept
        self._weights = coef.T.astype(np.float64)

    def predict_proba(self, rows: np.ndarray) -> np.ndarray:
        """Return probabilities (n, n_classes) of rows (n, n_features)."""
        # Row by row: a product of many rows adds in another order
        logits = (rows[:, None] @ self._weights)[:, 0] + self.intercept_
        return two_classes(logits[:, 0]) if logits.shape[1] == 1 else softmax(logits)


class Forest:
    """A random forest, to the bit as scikit-learn's. Its trees are side by side: a step takes all rows one node down in all."""

    def __init__(self, trees: Sequence[Any]):
        sizes = [len(tree.nodes) for tree in trees]
        self._roots = np.cumsum([0, *sizes[:-1]])
        nodes, offset = np.concatenate([tree.nodes for tree in trees]), np.repeat(self._roots, sizes)
        is_leaf, own = nodes["left_child"] < 0, np.arange(len(nodes))
        self._feature = np.where(is_leaf, 0, nodes["feature"])
        self._threshold = np.where(is_leaf, np.inf, nodes["threshold"])
        self._below = np.where(is_leaf, own, nodes["left_child"] + offset)
        self._above = np.where(is_leaf, own, nodes["right_child"] + offset)
        self._values = np.concatenate([tree.values for tree in trees])[:, 0]
        self._depth = max(tree.max_depth for tree in trees)

    def predict_proba(self, rows: np.ndarray) -> np.ndarray:
        """Return the mean over trees, (n, n_classes), of rows (n, n_features) without NaN."""
        rows = np.ascontiguousarray(rows, dtype=np.float32)
        node, number = np.repeat(self._roots[:, None], len(rows), axis=1), np.arange(len(rows))
        for _ in range(self._depth):
            below = rows[number, self._feature[node]] <= self._threshold[node]
            node = np.where(below, self._below[node], self._above[node])
        return in_order(self._values[leaves] for leaves in node) / len(self._roots)


def in_order(parts: Iterable[np.ndarray]) -> np.ndarray:
    """Return the sum, added one after the other as scikit-learn does."""
    total, *rest = parts
    total = total.copy()
    for values in rest:
        total += values
    return total
