"""What all rooms use: errors, params.yaml, paths, writing files, running stages, parallel work. It imports no other room.

Start with `stage` (how a stage starts and ends), `paths` (where files are) and `params` (params.yaml as validated objects).
`artifacts` writes files in one step, with the same bytes every time. `code_hashes` tells DVC which code a stage reaches.

Must not change: exit codes in `errors`, the byte layout that `artifacts` writes, and the keys of params.yaml.
"""
