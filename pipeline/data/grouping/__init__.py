"""Which samples belong together, and on which side of the split they stand.

Start with `splitting` (groups into development folds and test set). `path_groups` finds groups in paths, `fixed_sides` keeps
samples on their side when others are added.

Must not change: the side and fold that a group and a seed give, because dvc.lock holds the hash of split.csv.
"""
