"""Blocks of params.yaml: validate them, propose them for a data set, remove them.

Start with `validate`, which the stage `check` runs, and `raw_data`. `inspect_data` reads a data set, `propose` makes a task of
it, `remove` removes a task and everything made of its data.

Must not change: the names of keys in params.yaml; an old key is accepted and rewritten.
"""
