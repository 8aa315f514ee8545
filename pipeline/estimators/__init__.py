"""One file per estimator: its name is the value of `estimator:` in params.yaml.

Start with `_protocol`: what a file defines (FEATURES, Params, build), the optional hooks and their defaults, and how estimators
are found by name. Modules with a leading underscore are shared parts. To add one: docs/how-to/add-an-estimator.md.

Must not change: module, class and attribute names in `_prepare`, because pickled models contain them.
"""
