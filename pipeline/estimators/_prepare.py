"""What stands before every classical estimator and is fitted, saved and loaded with it: imputation, categories, scaling."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from pipeline.data.image_with_columns import ImageWithColumns
from pipeline.data.tables import is_number

LIMIT = 1e6  # standard deviations from the mean: what is beyond is not a measurement, and its square would overflow


class Prepare(BaseEstimator, TransformerMixin):
    """Standardise arrays; in DataFrames impute and standardise numbers and one-hot encode categories; of both do either.

    Medians, means, scales and the categories are learnt in `fit`. An unknown category becomes all zeros; a missing one
    ("") is a category of its own; a number that is missing becomes the median. A column of numbers that do not vary is left
    out: it teaches nothing, and without a scale another value would outweigh all other columns.

    Of both, columns are scaled so that they weigh as a block of as many features as the picture has (block scaling, each block by
    1 / sqrt(its size); Westerhuis et al. 1998). Else a penalty or a distance would hardly see 17 columns beside 1,280 numbers:
    of photos of HAM10000 age, sex and place then helped a logistic regression a quarter as much as in soak/test_columns.py.
    """

    def fit(self, X: "np.ndarray | pd.DataFrame | ImageWithColumns", y: Any = None) -> "Prepare":
        """Learn from X, an array (n_samples, n_features), a DataFrame made by `tables.typed`, or both."""
        if isinstance(X, ImageWithColumns):
            self.beside_ = of_table(X.columns)
        picture = X.image if isinstance(X, ImageWithColumns) else X
        self.transformer_ = of_table(X) if isinstance(X, pd.DataFrame) else StandardScaler().fit(picture)
        return self

    def transform(self, X: "np.ndarray | pd.DataFrame | ImageWithColumns") -> np.ndarray:
        """Return X as a float array (n_samples, n_prepared), within plus and minus LIMIT; columns stand behind the picture."""
        with np.errstate(over="ignore"):
            if isinstance(X, ImageWithColumns):
                seen, columns = self.transformer_.transform(X.image), transform_table(self.beside_, X.columns)
                columns = columns * np.sqrt(seen.shape[1] / max(1, columns.shape[1]))
                return np.hstack([seen, columns]).astype(X.image.dtype).clip(-LIMIT, LIMIT)
            if isinstance(X, pd.DataFrame):
                return transform_table(self.transformer_, X).clip(-LIMIT, LIMIT)
            return self.transformer_.transform(X).clip(-LIMIT, LIMIT)


def of_table(X: pd.DataFrame) -> ColumnTransformer:
    """Return what imputes, standardises and encodes the columns of X, fitted."""
    numbers = [name for name in X if is_number(X[name]) and X[name].nunique() > 1]
    choices = [name for name in X if not is_number(X[name])]
    impute = SimpleImputer(strategy="median")
    encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer(
        [("numbers", make_pipeline(impute, StandardScaler()), numbers), ("choices", encode, choices)]
    ).fit(X)


def transform_table(fitted: ColumnTransformer, X: pd.DataFrame) -> np.ndarray:
    """Return what `fitted.transform(X)` does, to the bit, by calling its parts one after the other.

    scikit-learn sends them through joblib and replaces the filters of `warnings`, which all threads share, while they run.
    """
    parts = [
        part.transform(X[columns]) for name, part, columns in fitted.transformers_ if name != "remainder" and columns
    ]
    return np.hstack(parts) if parts else np.empty((len(X), 0))


def prepared(estimator: BaseEstimator) -> Pipeline:
    """Return the estimator behind its preparation."""
    return Pipeline([("prepare", Prepare()), ("classify", estimator)])
