"""Find samples that are one patient's, and what predicts the label without being medicine.

Start with `audit`, which reads a task's samples, or those of `any_path`, and asks two rooms: `images` (is it the same image,
whatever was done to it) and `rows` (equal and nearly equal rows, rows in clusters). `shortcuts` tries acquisition properties,
`label_leaks` columns that say the label, both by `cross_fitted_auc`. `group_search` finds columns that name
the patient, `image_groups` parts of paths, which samples that are `alike` confirm. `summary` puts findings into words.

Must not change: the keys of audit.json and the exit codes (0 clean, 3 findings).
"""
