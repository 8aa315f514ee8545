"""From bytes and rows to samples, features and data sets.

Start with `images` (the only place where bytes become pixels), `tables` (the only place where rows become features) and
`dataset` (dev.npz and test.npz). `samples` lists the samples of a task, `uploads` adds those that were submitted later. The
rooms within: `folders` (image sets as files), `tabular` (tables as files), `columns` (what columns stand for), `grouping`
(patients, split and folds), `synthetic` (drawn images).

Must not change: the columns of samples.csv and split.csv, sample ids, and how an image is decoded and resized: a changed pixel
is another model.
"""
