"""Statistics: arrays in, figures out. No file, no model and no parameter of the project is read here.

Start with `metrics` (each metric is written once), then `bootstrap` (the same metrics over resampled groups) and `intervals`
(confidence intervals). `components` joins pairs to sets.

Must not change: the metric names, which are scikit-learn's and stand in every report.
"""
