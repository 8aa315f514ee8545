"""From bytes and rows to samples, features and data sets.

Start with `images` (the only place where bytes become pixels), `tables` (the only place where rows become features) and
`dataset` (dev.npz and test.npz). `folder_layout` and `column_roles` recognise what a folder or CSV holds, `samples` lists its
samples, `splitting` divides them, `uploads` adds those that were submitted later. `synthetic` draws the demo's images.

Must not change: the columns of samples.csv and split.csv, sample ids, and how an image is decoded and resized: a changed pixel
is another model.
"""
