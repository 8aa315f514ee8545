"""From predictions to figures: how good a model is, with intervals, and which model is chosen.

Start with `scoring` (the figures) and `report` (their types; `metric_names` are what people read). `calibration` and
`operating_point` choose the decision rule, `selection` the champion. `out_of_fold` writes one model's report, with `subgroups`,
`by_group` and `by_group_report` for samples that are answered together; `curves` are the tables behind the charts of `plots`,
which `out_of_fold_charts` writes; `candidates` are models as they are compared, `suspect_labels` labels that they contradict.
Rooms within: `new_data` and `usefulness`.

Must not change: the keys of cv/<model>.json, test/<model>.json, selection.json and the columns of leaderboard.csv.
"""
