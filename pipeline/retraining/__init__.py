"""From submitted samples to a new champion, or to the decision against one.

Start with `intake` (checks and stores samples), then `decide` (try, promote, reject, roll back). `sandbox` runs the graph with
one batch more in a copy of the project, `comparison` compares both models, `batch_profile` and `recommendation` describe
the result.

Must not change: included.csv, the ledger and the exit code 3 of a batch that is not promoted.
"""
