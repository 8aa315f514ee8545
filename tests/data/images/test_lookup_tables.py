"""Slopes, windows and lookup tables of DICOM."""

import io

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.helpers.dicom import dicom
from tests.helpers.dicom_pixels import G12, HOUNSFIELD, grey, ramp


@pytest.mark.parametrize("intensity", ["12 bits", (0, 4095)])
def test_a_rule_reads_dicom_and_png_alike(intensity):
    out = io.BytesIO()
    Image.fromarray(G12).save(out, "PNG")
    assert np.array_equal(grey(dicom(G12, BitsStored=12), intensity), grey(out.getvalue(), intensity))


def test_hounsfield_units_come_before_a_named_window():
    stored = (HOUNSFIELD + 1024).astype(np.uint16)
    raw = dicom(stored, RescaleSlope=1, RescaleIntercept=-1024)
    assert np.array_equal(grey(raw, "lung"), ramp(HOUNSFIELD, -1350, 150))
    assert np.array_equal(grey(dicom(HOUNSFIELD), "lung"), grey(raw, "lung"))


def test_the_own_window_is_used_only_where_the_rule_asks():
    data = dicom(HOUNSFIELD, WindowCenter=40, WindowWidth=400)
    assert np.abs(grey(data) - ramp(HOUNSFIELD, -160, 239)).max() <= 1
    assert np.array_equal(grey(data, None), grey(data))
    assert np.array_equal(grey(data, (-100, 100)), ramp(HOUNSFIELD, -100, 100))


@pytest.mark.parametrize(
    ("elements", "low", "high"),
    [
        ({"RescaleSlope": -1, "RescaleIntercept": 1000}, 1000, 1000 - 4095),
        ({"RescaleIntercept": -1024, "WindowCenter": 100, "WindowWidth": 200}, 0, 199),
        ({"RescaleSlope": 0.5, "RescaleIntercept": 0}, 0, 2047.5),
        ({"WindowCenter": [100, 900], "WindowWidth": [200, 50]}, 0, 199),
        ({"WindowCenter": 100, "WindowWidth": 200, "VOILUTFunction": "LINEAR_EXACT"}, 0, 200),
        ({"WindowCenter": 100, "WindowWidth": 0}, 0, 4095),
        ({"WindowCenter": 100}, 0, 4095),
        ({"WindowCenter": None, "WindowWidth": None}, 0, 4095),
    ],
)
def test_slopes_and_windows_are_applied(elements, low, high):
    elements = {"WindowCenter": "", "WindowWidth": ""} | elements
    units = G12 * float(elements.get("RescaleSlope", 1)) + float(elements.get("RescaleIntercept", 0))
    low, high = sorted((low, high))
    assert np.abs(grey(dicom(G12, BitsStored=12, **elements)) - ramp(units, low, high)).max() <= 1


def test_a_sigmoid_window_bends():
    shown = grey(dicom(G12, WindowCenter=2048, WindowWidth=1000, VOILUTFunction="SIGMOID"))
    assert np.abs(shown - 255 / (1 + np.exp(-4 * (G12.astype(float) - 2048) / 1000))).max() <= 1


def test_monochrome1_is_inverted_after_the_window():
    for elements in ({}, {"WindowCenter": 2000, "WindowWidth": 900}):
        direct = grey(dicom(G12, BitsStored=12, **elements))
        inverted = grey(dicom(G12, BitsStored=12, PhotometricInterpretation="MONOCHROME1", **elements))
        assert np.abs(direct + inverted - 255).max() <= 1


def lut(first: int, entries: list[int], bits: int) -> Sequence:
    """Return a lookup table sequence of 16-bit entries."""
    item = Dataset()
    item.add_new(0x00283002, "US", [len(entries), first, bits])
    item.add_new(0x00283006, "OW", np.array(entries, "<u2").tobytes())
    return Sequence([item])


def test_lookup_tables_come_before_slopes_and_windows():
    entries = list(range(4095, -1, -1))
    data = dicom(G12, BitsStored=12, VOILUTSequence=lut(0, entries, 12), WindowCenter=5, WindowWidth=6)
    assert np.abs(grey(data) - ramp(4095 - G12.astype(int), 0, 4095)).max() <= 1
    data = dicom(G12, BitsStored=12, ModalityLUTSequence=lut(0, entries, 12))
    assert np.abs(grey(data) - ramp(4095 - G12.astype(int), 0, 4095)).max() <= 1
