"""The estimators, one file each. A new file here is a new value of `estimator:` in params.yaml.

A module has `FEATURES` (which features it can learn from), `Params` (its own keys in a model's block) and
`build(params, seed)`, which returns an unfitted object with scikit-learn's `fit(X, y)` and `predict_proba(X)`; all it learns
from data (scaling, imputation, categories) lives inside that object. scikit-learn is imported in `build`: the stage `check`
reads every `Params` and must not wait for it.
"""
