"""From a data set to fitted models that can be exported.

Start with `cross_fit` (which fold is predicted by which fit); `tuning` chooses parameters inside the folds, `candidate` writes
the result down, `refit` builds the same model again.

Must not change: candidate.json, oof.npz and history.csv, which later stages read.
"""
