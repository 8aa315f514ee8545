"""DICOM files that tests make: nobody's data."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
    generate_uid,
)


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


SYNTAXES = ("explicit", "implicit", "deflated", "big-endian", "RLE", "JPEG 2000")


def in_syntax(ds: Dataset, name: str) -> bytes:
    """Return a file in one of SYNTAXES."""
    if name == "RLE":
        ds.compress(RLELossless, generate_instance_uid=False)
    elif name == "JPEG 2000":
        out = io.BytesIO()
        Image.fromarray(ds.pixel_array).save(out, "JPEG2000")
        ds.file_meta.TransferSyntaxUID = JPEG2000Lossless
        ds.PixelData = encapsulate([out.getvalue()])
    elif name == "big-endian":
        ds.PixelData = ds.pixel_array.astype(">u2").tobytes()
        ds.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    elif name in ("implicit", "deflated"):
        ds.file_meta.TransferSyntaxUID = {"implicit": ImplicitVRLittleEndian}.get(name, DeflatedExplicitVRLittleEndian)
    return to_bytes(ds)


@dataclass(frozen=True)
class Slice:
    """An image to write: uint8 grey (height, width), its label, and the number of its patient."""

    values: np.ndarray
    label: str
    patient: int


def write_export(folder: Path, slices: list[Slice], by: str = "PatientID") -> None:
    """Write a PACS export: nested folders without suffixes, Hounsfield units in 12 bits, a DICOMDIR, and labels.csv.

    The CSV names patients, studies, instances or, by "file", files. Each patient has a name, a birthday and several syntaxes.
    """
    rows = []
    for number, item in enumerate(slices):
        study = f"1.2.826.0.1.{item.patient + 1}.9"
        patient = {"PatientID": f"MRN-{item.patient:05d}", "PatientName": f"Doe^Jane{item.patient}"}
        stored = item.values.astype(np.uint16) * 6 + 24
        ds = dataset(
            stored, BitsStored=12, RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=-235, WindowWidth=1531, Modality="CT",
            PatientBirthDate="19700102", StudyDate="20200304", PatientAge=f"{30 + item.patient % 50:03d}Y", Manufacturer="ACME",
            BodyPartExamined="CHEST", StudyInstanceUID=study, SeriesInstanceUID=f"{study}.1",
            SOPInstanceUID=f"{study}.1.{number + 1}", PatientSex="FM"[item.patient % 2], **patient,
        )  # fmt: skip
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        path = folder / f"PA{item.patient:04d}/ST0000/SE0000/IM{number:05d}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(in_syntax(ds, SYNTAXES[number % len(SYNTAXES)]))
        cell = path.relative_to(folder).as_posix() if by == "file" else str(ds[by].value)
        rows.append(f"{cell},{item.label}")
    (folder / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    (folder / "labels.csv").write_text("\n".join([f"{by},label", *dict.fromkeys(rows)]) + "\n")
