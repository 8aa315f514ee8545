"""What every room stands on: errors, params.yaml, writing files, running stages, parallel work. It imports no other room.

Start with `stage` (how a stage starts and ends) and `params` (params.yaml as checked objects). `artifacts` writes whole files
with the same bytes every time. `code_hashes` tells DVC which code a stage reaches.

Must not change: exit codes in `errors`, the byte layout that `artifacts` writes, and the keys of params.yaml.
"""
