"""What stands before every classical estimator and is fitted, saved and loaded with it: imputation, categories, scaling."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from pipeline.tables import is_number

LIMIT = 1e6  # standard deviations from the mean: what is beyond is not a measurement, and its square would overflow


class Prepare(BaseEstimator, TransformerMixin):
    """Standardise arrays; in DataFrames impute and standardise numbers and one-hot encode categories.

    Medians, means, scales and the categories are learnt in `fit`. An unknown category becomes all zeros; a missing one
    ("") is a category of its own; a number that is missing becomes the median. A column of numbers that do not vary is left
    out: it teaches nothing, and without a scale another value would outweigh all other columns.
    """

    def fit(self, X: "np.ndarray | pd.DataFrame", y: Any = None) -> "Prepare":
        """Learn from X, an array (n_samples, n_features) or a DataFrame made by `tables.typed`."""
        if isinstance(X, pd.DataFrame):
            numbers = [name for name in X if is_number(X[name]) and X[name].nunique() > 1]
            choices = [name for name in X if not is_number(X[name])]
            impute = SimpleImputer(strategy="median")
            encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
            self.transformer_ = ColumnTransformer(
                [("numbers", make_pipeline(impute, StandardScaler()), numbers), ("choices", encode, choices)]
            )
        else:
            self.transformer_ = StandardScaler()
        self.transformer_.fit(X)
        return self

    def transform(self, X: "np.ndarray | pd.DataFrame") -> np.ndarray:
        """Return X as a float array (n_samples, n_prepared), within plus and minus LIMIT."""
        with np.errstate(over="ignore"):
            return self.transformer_.transform(X).clip(-LIMIT, LIMIT)


def prepared(estimator: BaseEstimator) -> Pipeline:
    """Return the estimator behind its preparation."""
    return Pipeline([("prepare", Prepare()), ("classify", estimator)])
