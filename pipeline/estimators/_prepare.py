"""Preparation of features, fitted, saved and loaded with every scikit-learn estimator: imputation, categories, scaling."""

import threading
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from pipeline.core.errors import DataError
from pipeline.core.mapped_rows import MappedRows, blocks, is_mapped, on_disk
from pipeline.data.image_with_columns import ImageWithColumns

# scikit-learn's checks and forests replace the filters of `warnings`, which all threads share, and restore them: one thread at a
# time. The interpreter's lock lets only one compute here anyway.
CHECKS = threading.RLock()
LIMIT = 1e6  # standard deviations from the mean: larger values are not measurements, and their squares would overflow


class Prepare(BaseEstimator, TransformerMixin):
    """Standardise arrays; in DataFrames impute and standardise numbers and one-hot encode categories.

    Medians, means, scales and categories are learnt in `fit`. An unknown category becomes all zeros; a missing one ("") is a
    category of its own; a missing number becomes the median. A constant column of numbers is dropped: it carries no information,
    and without a scale another value would outweigh all other columns.

    For images with clinical columns, the columns are scaled so that they weigh as a block of as many features as the image has
    (block scaling, each block by 1 / sqrt(its size); Westerhuis et al. 1998). Otherwise 17 columns hardly count in a penalty or a
    distance next to 1,280 numbers: on HAM10000, age, sex and site helped a logistic regression a quarter as much as in
    soak/test_columns.py.
    """

    def fit(self, X: "np.ndarray | MappedRows | pd.DataFrame | ImageWithColumns", y: Any = None) -> "Prepare":
        """Learn from X, an array (n_samples, n_features), a DataFrame made by `tables.typed`, or both."""
        if isinstance(X, ImageWithColumns):
            self.beside_ = of_table(X.columns)
        image = X.image if isinstance(X, ImageWithColumns) else X
        self.transformer_ = of_table(X) if isinstance(X, pd.DataFrame) else scaler_of(image)
        if isinstance(X, pd.DataFrame) and not any(
            len(columns) for _, _, columns in self.transformer_.transformers_[:2]
        ):
            raise DataError(
                f"no column of {', '.join(map(repr, X.columns[:5]))} varies: there is nothing to learn from"
            )
        return self

    @property
    def has_clinical_columns(self) -> bool:
        """Whether it was fitted on images with clinical columns."""
        return hasattr(self, "beside_")

    def transform(self, X: "np.ndarray | MappedRows | pd.DataFrame | ImageWithColumns") -> np.ndarray:
        """Return X as a float array (n_samples, n_prepared), within plus and minus LIMIT; columns follow the image's features.

        Of features that are mapped from disk, so is what is returned.
        """
        if is_mapped(X):
            return on_disk(self.transform(block) for block in blocks(X))
        with CHECKS, np.errstate(over="ignore"):
            if isinstance(X, ImageWithColumns):
                image, columns = self.transformer_.transform(X.image), transform_table(self.beside_, X.columns)
                columns = columns * np.sqrt(image.shape[1] / max(1, columns.shape[1]))
                return np.hstack([image, columns]).astype(X.image.dtype).clip(-LIMIT, LIMIT)
            if isinstance(X, pd.DataFrame):
                return transform_table(self.transformer_, X).clip(-LIMIT, LIMIT)
            standardised = self.transformer_.transform(X)
            return standardised.clip(-LIMIT, LIMIT, out=standardised)


def scaler_of(X: "np.ndarray | MappedRows") -> StandardScaler:
    """Return a StandardScaler that is fitted on X (n_samples, n_features)."""
    scaler = StandardScaler()
    for block in blocks(X):
        scaler.partial_fit(block)
    return scaler


def of_table(X: pd.DataFrame) -> ColumnTransformer:
    """Return a fitted transformer that imputes, standardises and encodes the columns of X."""
    is_numeric = (X.dtypes == np.float64).to_numpy()
    values = X.loc[:, is_numeric].to_numpy()
    # fmin and fmax leave out NaN, and of nothing but NaN give NaN, which is not below itself
    varied = np.fmin.reduce(values, initial=np.nan) < np.fmax.reduce(values, initial=np.nan)
    numbers, choices = np.flatnonzero(is_numeric)[varied], np.flatnonzero(~is_numeric)
    impute = SimpleImputer(strategy="median")
    encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    # By position, and named afterwards: it looks up each name in the list of all, which takes longer than the rest of 7,000
    with np.errstate(over="ignore", invalid="ignore"):  # of numbers that are refused below
        fitted = ColumnTransformer(
            [
                ("numbers", make_pipeline(impute, StandardScaler()), numbers.tolist()),
                ("choices", encode, choices.tolist()),
            ]
        ).fit(X if len(choices) else values)
    if len(numbers) and not np.isfinite(scales := fitted.named_transformers_["numbers"][1].scale_).all():
        k = numbers[np.flatnonzero(~np.isfinite(scales))[0]]
        raise DataError(
            f"column {X.columns[k]!r}: a number of size {np.nanmax(np.abs(X.iloc[:, k])):.3g} cannot be standardised; if it is "
            "a mistake or stands for a missing value, empty the cell"
        )
    if not len(choices):
        # Fitted on an array, because each column of a DataFrame is checked: two thirds of the time of 7,000
        fitted.feature_names_in_ = X.columns.to_numpy(object)
        if len(numbers):
            fitted.named_transformers_["numbers"][0].feature_names_in_ = fitted.feature_names_in_[numbers]
    for steps in (fitted.transformers, fitted.transformers_):
        steps[:2] = [(name, step, X.columns[columns].tolist()) for name, step, columns in steps[:2]]
    return fitted


def transform_table(fitted: ColumnTransformer, X: pd.DataFrame) -> np.ndarray:
    """Return `fitted.transform(X)`, to the bit, by calling its parts one after the other.

    scikit-learn calls them through joblib, which replaces the filters of `warnings` that all threads share. Numbers are imputed
    and scaled here: its checks of each column of a DataFrame took most of the time of a table with 7,000 columns.
    """
    parts = [
        scaled(part, X[columns].to_numpy()) if name == "numbers" else part.transform(X[columns])
        for name, part, columns in fitted.transformers_
        if name != "remainder" and columns
    ]
    return np.hstack(parts) if parts else np.empty((len(X), 0))


def scaled(steps: Pipeline, values: np.ndarray) -> np.ndarray:
    """Return numbers (n, k) with medians for NaN, standardised: what a SimpleImputer and a StandardScaler give."""
    impute, scale = (step for _, step in steps.steps)
    filled = np.where(np.isnan(values), impute.statistics_, values)
    filled -= scale.mean_
    filled /= scale.scale_
    return filled


def prepared(estimator: BaseEstimator) -> Pipeline:
    """Return a pipeline of preparation and estimator."""
    return Pipeline([("prepare", Prepare()), ("classify", estimator)])


class SavedAsBase:
    """First base of a class that extends `fit` of one of scikit-learn's, its second base: it is pickled as that one.

    So a fitted model loads where this project is not.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        base = type(self).__bases__[1]
        plain = base()
        vars(plain).update(vars(self))
        return base, (), plain.__getstate__()
