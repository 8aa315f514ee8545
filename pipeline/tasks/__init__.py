"""Blocks of params.yaml: validate them, propose them for a data set, remove them.

Start with `validate`, which the stage `check` runs; `inspect_data` looks at a data set, `propose` makes a task of it, `remove`
takes a task away with all that was made of its data.

Must not change: the names of keys in params.yaml; an old key is accepted and rewritten.
"""
