"""From development samples to a fitted model that can be exported.

Start with `cross_fit` (which fold is predicted by which fit). `job` reads what a training needs, `tuning` chooses parameters
inside the folds, `export` writes the model, `candidate` describes it, `refit` builds the same model again.

Must not change: candidate.json, oof.npz and history.csv, which later stages read.
"""
