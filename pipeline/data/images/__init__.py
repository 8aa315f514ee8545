"""From the bytes of an image file to pixels, and to the model's square.

Start with `image_file`, which reads a file and caches what is computed from it, and with `decoding`. `pixel_rule` is the rule
of a data set, `stored_values` applies it to numbers of more than 8 bits, which `deep` reads through Pillow and `dicom` through
pydicom (`dicom_files`, `codestream`, `lookup_tables`); `proposal` finds a rule for new files. `limits` has the formats and sizes
that are accepted, `squares` the model's input.

Must not change: a pixel of a file without a rule (tests/data/images/test_unchanged.py), because ids, features and models depend
on it.
"""
