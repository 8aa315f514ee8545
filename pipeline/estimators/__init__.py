"""One module per estimator: its name is the value of `estimator:` in params.yaml.

Each has FEATURES (what it can be given), Params (its own keys, all tunable) and build(own, seed), which returns an
unfitted object with fit and predict_proba; `save(folder)` where it is not written by joblib. `history_`, [[loss, val_loss],
...], is per epoch.
Where there is no val_loss, fit_without is given a fold to watch, from which it learns nothing; fit_grouped is given the groups.
Modules with a leading underscore are shared parts.

Must not change: module and class names in `_prepare`, because pickled models name them.
"""
