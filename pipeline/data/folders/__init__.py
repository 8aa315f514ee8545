"""Which files of a folder, archive or CSV of images are samples, and what folders and files say of them.

Start with `folder_layout` (the samples of a raw folder). `folder_roles` decides what each level of folders stands for,
`image_csv` whether a CSV names images and where they lie; `archives` and `medmnist` unpack what comes in one file. No image is
decoded here.

Must not change: what params.yaml of an older project says is read as it was.
"""
