"""Find the same image twice, whatever was done to it, and properties of the files that predict the label.

Start with `audit`. A pair passes four steps: `fingerprint` and `keypoints` (what is kept of an image), `candidates` (pairs worth
comparing), `verify` and `alignment` (is it one image), `edits` (what was done to it); `pairs` runs them over a whole set.
`shortcuts` looks for confounders, `summary` and `contact_sheet` show the result, `any_path` audits data that belong to no task.

Must not change: the keys of audit.json and the exit codes (0 clean, 3 findings).
"""
