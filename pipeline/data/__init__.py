"""From bytes and rows to samples, features and data sets.

Start with `images` (the only place where bytes become pixels), `tables` (the only place where rows become features) and
`dataset` (dev.npz and test.npz). `samples` and `folder_layout` list the samples of a task, `uploads` adds those that were
submitted later, `written_samples` reads what `scan` and `split` wrote, `image_features` and `feature_arrays` compute the
arrays. The rooms within, each importing only those before it: `images` (image files), `tabular` (tables as files), `columns`
(what columns stand for), `folders` (image sets as files), `dicom` (headers of DICOM files), `grouping` (patients, split and
folds). `synthetic` draws images.

Must not change: the columns of samples.csv and split.csv, sample ids, and how an image is decoded and resized: a changed pixel
is another model.
"""
