"""What a column of a CSV or table stands for: label, group, split, id.

Start with `column_roles`. `group_names` knows the names of patients and lesions, `id_columns` finds ids, indices and dates,
`label_columns` and `one_label` the label of an image CSV, `negative_class` which class is the absence of the finding.

Must not change: a column that is named in params.yaml is taken as it is.
"""
