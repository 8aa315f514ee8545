"""Palettes of DICOM files become the colours that they stand for, and no more than these."""

import struct

import numpy as np
import pytest
from pydicom.pixels import apply_color_lut

from pipeline.core.errors import DataError
from pipeline.data.images import decoding
from pipeline.data.images.palettes import expand, palette_colours
from tests.helpers.dicom import dataset, to_bytes

INDICES = (np.arange(20 * 24).reshape(20, 24) % 300).astype(np.uint16)
RUN = struct.pack("<5H", 0, 3, 9, 500, 7)
RAMP = struct.pack("<3H", 1, 40, 60_000)
BACK = struct.pack("<4H", 2, 2, 0, 0)  # both once more


def with_palette(data: bytes, bits: int, n_entries: int, segmented: bool = False):
    """Return a data set whose three colours have one palette."""
    ds = dataset(INDICES, PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        setattr(ds, f"{colour}PaletteColorLookupTableDescriptor", [n_entries, 0, bits])
        setattr(ds, f"{'Segmented' * segmented}{colour}PaletteColorLookupTableData", data)
    return ds


def test_segments_expand_as_pydicom_expands_them():
    ds = with_palette(RUN + RAMP + BACK, 16, 86, segmented=True)
    assert np.array_equal(palette_colours(INDICES, ds), apply_color_lut(INDICES, ds))


def test_indices_over_255_keep_their_colours():
    table = np.random.default_rng(0).integers(0, 256, 300).astype(np.uint8)
    pixels = decoding.decode(to_bytes(with_palette(table.tobytes(), 8, 300))).pixels
    assert np.array_equal(pixels[..., 0], table[INDICES])


BOMBS = {
    "long": RUN + RAMP * 20_000,
    "references": RUN + BACK * 30_000,
    "a reference to itself": RUN + struct.pack("<4H", 2, 9, 0, 0) * 2,
    "empty": RUN + struct.pack("<2H", 0, 0) * 99,
    "unknown": b"\x09\0" * 9,
}


@pytest.mark.parametrize("segments", BOMBS.values(), ids=BOMBS)
def test_a_bomb_of_segments_is_refused(segments):
    with pytest.raises(DataError, match="it is damaged"):
        expand(np.frombuffer(segments, "<u2"), 90)


def test_a_palette_that_is_not_there_is_refused():
    with pytest.raises(DataError, match="has none"):
        decoding.decode(to_bytes(dataset(INDICES, PhotometricInterpretation="PALETTE COLOR")))
