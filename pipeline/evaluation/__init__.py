"""From predictions to figures: how good a model is, with intervals, and which model is chosen.

Start with `scoring` (one model's report). `calibration` and `operating_point` choose the decision rule, `selection` the champion,
`held_out` opens the test set, `external_data` and `leave_one_site_out` try models on data from elsewhere.

Must not change: the keys of cv/<model>.json, test/<model>.json, selection.json and the columns of leaderboard.csv.
"""
