"""What tests of DICOM pixels share: ramps of stored values, and what is shown of a file."""

import io
import tracemalloc

import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from pipeline.core.errors import DataError
from pipeline.data.images import decoding
from pipeline.data.images.pixel_rule import PixelRule
from tests.helpers.dicom import dataset, to_bytes

OWN = PixelRule("file")
X = np.arange(64 * 48).reshape(48, 64)
G12 = (X % 4096).astype(np.uint16)
HOUNSFIELD = (X - 1024).astype(np.int16)


# what a file says of its values


def grey(data: bytes, intensity: object = "file") -> np.ndarray:
    """Return the decoded values, one channel, as int."""
    pixels = decoding.decode(data, PixelRule(intensity)).pixels
    assert (pixels == pixels[..., :1]).all()
    return pixels[..., 0].astype(int)


def compressed(values: np.ndarray, syntax: UID, file_format: str, **elements: object) -> bytes:
    """Return a file whose frame is a JPEG or JPEG 2000 by Pillow."""
    out = io.BytesIO()
    Image.fromarray(values).save(out, file_format)
    ds = dataset(values, **elements)
    ds.file_meta.TransferSyntaxUID = syntax
    ds.PixelData = encapsulate([out.getvalue()])
    return to_bytes(ds)


def peak_of(data: bytes, match: str) -> int:
    """Return the bytes that refusing a file takes."""
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=match):
            decoding.decode(data, OWN)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return values from low to high as 0 to 255."""
    return np.round(((values - low) / (high - low)).clip(0, 1) * 255)
