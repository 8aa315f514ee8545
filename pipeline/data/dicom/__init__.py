"""What the headers of DICOM files say of samples: groups, columns, frames, and which files a CSV of labels means.

Start with `dicom_samples`, which `folder_layout` calls. `headers` reads the elements that are used, `patient_hash` turns
identifiers into groups, `dicom_index` finds files by the identifiers in a CSV. Pixels are read by `data.images.dicom`.

Must not change: no name, date or identifier leaves this room in the clear; columns are those of `headers.COLUMNS`.
"""
