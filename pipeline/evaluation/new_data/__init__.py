"""Figures on data that development did not use: the test set, other data sets, and one site at a time.

Start with `held_out`, which opens the test set once a champion is chosen; `test_set_evaluations` counts how often that was done.
`external_data` reads a data set from elsewhere and `external_report` scores the champion on it; `leave_one_site_out` trains
without each site in turn.

Must not change: the columns and hashes of test_looks.csv, which tell whether a candidate was counted before.
"""
