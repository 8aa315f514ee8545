"""DICOM files that tests make: nobody's data."""

import io
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid


def dataset(values: np.ndarray, **elements: Any) -> Dataset:
    """Return a data set of grey (height, width), colours (height, width, 3) or frames (n, height, width)."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = CTImageStorage
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = generate_uid()
    is_colour = values.ndim == 3 and values.shape[-1] == 3
    frames = values.shape[0] if values.ndim == 3 and not is_colour else None
    ds.Rows, ds.Columns = values.shape[1:3] if frames else values.shape[:2]
    if frames:
        ds.NumberOfFrames = frames
    ds.SamplesPerPixel = 3 if is_colour else 1
    ds.PhotometricInterpretation = "RGB" if is_colour else "MONOCHROME2"
    if is_colour:
        ds.PlanarConfiguration = 0
    ds.BitsAllocated = 8 * values.dtype.itemsize
    ds.BitsStored, ds.HighBit = ds.BitsAllocated, ds.BitsAllocated - 1
    ds.PixelRepresentation = int(values.dtype.kind == "i")
    ds.PixelData = values.tobytes()
    for name, value in elements.items():
        if value is None:
            ds.pop(name, None)
        else:
            setattr(ds, name, value)
    if "BitsStored" in elements and "HighBit" not in elements:
        ds.HighBit = ds.BitsStored - 1
    return ds


def to_bytes(ds: Dataset, **options: Any) -> bytes:
    """Return a data set as the bytes of a file."""
    out = io.BytesIO()
    pydicom.dcmwrite(out, ds, **({"enforce_file_format": True} | options))
    return out.getvalue()


def dicom(values: np.ndarray, **elements: Any) -> bytes:
    """Return the bytes of a file; see `dataset`."""
    return to_bytes(dataset(values, **elements))
