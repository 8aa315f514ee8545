"""A compressed frame that is not as its header says is refused."""

import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from pipeline.core.errors import DataError
from pipeline.data.images import decoding
from tests.helpers.dicom import dataset, to_bytes
from tests.helpers.dicom_pixels import G12, compressed, peak_of


@pytest.mark.parametrize(("file_format", "syntax"), [("JPEG", JPEGBaseline8Bit), ("JPEG2000", JPEG2000Lossless)])
def test_a_frame_larger_than_its_header_is_refused(file_format, syntax):
    data = compressed(np.zeros((3000, 3000), np.uint8), syntax, file_format, Rows=48, Columns=64)
    assert peak_of(data, "is 3000x3000 px, where the header says 64x48") < 3_000_000


def test_a_box_without_a_length_is_refused():
    """pydicom would follow it forever."""
    data = compressed(G12, JPEG2000Lossless, "JPEG2000", BitsStored=16)
    start = data.index(b"jp2h") - 4
    with pytest.raises(DataError, match="a box without a length"):
        decoding.decode(data[:start] + bytes(4) + data[start + 4 :])


def test_a_run_length_bomb_is_refused():
    ds = dataset(G12.astype(np.uint8))
    ds.file_meta.TransferSyntaxUID = RLELossless
    frame = b"".join(n.to_bytes(4, "little") for n in [1, 64, *[0] * 14]) + b"\x81\x00" * 200_000
    ds.PixelData = encapsulate([frame])
    assert peak_of(to_bytes(ds), "unpacks to more than its 3072 px") < 3_000_000


def test_a_last_fragment_that_is_cut_off_is_refused():
    data = compressed(G12, JPEG2000Lossless, "JPEG2000", BitsStored=16)
    for kept in (len(data) - 200, len(data) - 1000):
        with pytest.raises(DataError):
            decoding.decode(data[:kept])
