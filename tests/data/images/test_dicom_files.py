"""One frame of a file with several is named and read."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from pipeline.core.errors import DataError
from pipeline.data.images import decoding
from pipeline.data.images.image_file import FrameBytes
from tests.helpers.dicom import dataset, to_bytes
from tests.helpers.dicom_pixels import G12, OWN, grey, ramp


def test_enhanced_files_have_a_window_for_each_frame():
    ds = dataset(np.stack([G12, G12, G12]), BitsStored=12)

    def item(**elements: object) -> Dataset:
        inner = Dataset()
        for name, value in elements.items():
            setattr(inner, name, value)
        return inner

    shared = item(PixelValueTransformationSequence=Sequence([item(RescaleSlope=2, RescaleIntercept=-100)]))
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    ds.PerFrameFunctionalGroupsSequence = Sequence(
        [item(FrameVOILUTSequence=Sequence([item(WindowCenter=c, WindowWidth=501)])) for c in (0, 2000, 4000)]
    )
    for frame, centre in ((1, 0), (2, 2000), (3, 4000)):
        shown = grey(FrameBytes.of(to_bytes(ds), frame))
        units = G12.astype(int) * 2 - 100
        assert np.abs(shown - ramp(units, centre - 250.5, centre + 249.5)).max() <= 1
    assert np.array_equal(grey(to_bytes(ds)), grey(FrameBytes.of(to_bytes(ds), 2)))
    assert decoding.read_square(to_bytes(ds), OWN).note == "frame 2 of 3"
    with pytest.raises(DataError, match="has 3 frames; there is no frame 4"):
        grey(FrameBytes.of(to_bytes(ds), 4))
