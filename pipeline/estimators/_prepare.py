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


class Prepare(BaseEstimator, TransformerMixin):
    """Standardise arrays; in DataFrames impute and standardise numbers and one-hot encode categories.

    Medians, means, scales and the categories are learnt in `fit`. An unknown category becomes all zeros; a missing one
    ("") is a category of its own; a number that is missing becomes the median.
    """

    def fit(self, X: "np.ndarray | pd.DataFrame", y: Any = None) -> "Prepare":
        """Learn from X, an array (n_samples, n_features) or a DataFrame made by `tables.typed`."""
        if isinstance(X, pd.DataFrame):
            numbers = [name for name in X if is_number(X[name])]
            choices = [name for name in X if name not in numbers]
            impute = SimpleImputer(strategy="median", keep_empty_features=True)
            encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
            self.transformer_ = ColumnTransformer(
                [("numbers", make_pipeline(impute, StandardScaler()), numbers), ("choices", encode, choices)]
            )
        else:
            self.transformer_ = StandardScaler()
        self.transformer_.fit(X)
        return self

    def transform(self, X: "np.ndarray | pd.DataFrame") -> np.ndarray:
        """Return X as a float array (n_samples, n_prepared)."""
        return self.transformer_.transform(X)


def prepared(estimator: BaseEstimator) -> Pipeline:
    """Return the estimator behind its preparation."""
    return Pipeline([("prepare", Prepare()), ("classify", estimator)])
