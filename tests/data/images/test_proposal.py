"""A rule is proposed for the whole data set, from what the files declare and hold."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.data.images import decoding
from pipeline.data.images.pixel_rule import PixelRule
from pipeline.data.images.proposal import propose
from tests.data.images.test_stored_values import BASE, G12, HOUNSFIELD, png, tiff
from tests.helpers.dicom import dicom

X = np.arange(48 * 64).reshape(48, 64)


def proposed(folder: Path, *files: bytes):
    """Return the proposal for these files."""
    paths = [folder / f"{number}.bin" for number in range(len(files))]
    for path, data in zip(paths, files, strict=True):
        path.write_bytes(data)
    return propose(paths, 1)


CASES = {
    "8 bits": ([tiff(BASE)] * 3, None),
    "12 bits": ([png(G12)] * 3, "12 bits"),
    "12 bits in TIFF": ([tiff(G12)] * 3, "12 bits"),
    "12 bits in colour": ([png(np.stack([G12] * 3, axis=-1), 2)] * 2, "12 bits"),
    "sBIT says 12, values do not": ([png(G12 * 16, sbit=b"\x0c")] * 2, "full"),
    "sBIT says 12, dark": ([png(G12 // 16, sbit=b"\x0c")] * 2, "12 bits"),
    "one dark among 12 bits": ([png(G12 // 64), png(G12)], "12 bits"),
    "16 bits": ([png(G12 * 16)] * 3, "full"),
    "one of 16 among 12 bits": ([png(G12)] * 40 + [png(G12 * 16)], "12 bits"),
    "floats to 1": ([tiff((BASE / 255).astype(np.float32))], "full"),
    "floats to 255": ([tiff(BASE.astype(np.float32))], (0.0, 255.0)),
    "nothing readable": ([b"text", b""], None),
    "DICOM of 12 bits": ([dicom((X % 4096).astype(np.uint16), BitsStored=12)] * 2, "12 bits"),
    "DICOM of 8 bits": ([dicom((X % 256).astype(np.uint8))] * 2, None),
    "padding": ([dicom(np.where(X < 256, 65535, X).astype(np.uint16), PixelPaddingValue=65535)] * 2, "12 bits"),
    "one curve": (
        [dicom((X - 1024).astype(np.int16), WindowCenter=40, WindowWidth=400, VOILUTFunction="SIGMOID")] * 3,
        "file",
    ),
    "one window": ([dicom((X - 1024).astype(np.int16), WindowCenter=40, WindowWidth=400)] * 3, (-160.0, 239.0)),
    "other windows": ([dicom(X.astype(np.uint16), WindowCenter=c, WindowWidth=500) for c in (500, 900)], "file"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_rule_is_proposed_for_the_data_set(name, tmp_path):
    files, intensity = CASES[name]
    assert proposed(tmp_path, *files).intensity == intensity


@pytest.mark.parametrize("kind", [np.int16, np.float32, np.int32])
def test_hounsfield_units_get_a_window_without_padding(kind, tmp_path):
    values = HOUNSFIELD.astype(kind)
    values[:5] = -2000
    low, high = proposed(tmp_path, tiff(values)).intensity
    assert -1100 <= low <= -900
    assert 900 <= high <= 1100


def test_z_scores_keep_their_two_ends(tmp_path):
    values = ((BASE - BASE.mean()) / BASE.std()).astype(np.float32)
    low, high = proposed(tmp_path, tiff(values)).intensity
    shown = decoding.decode(tiff(values), PixelRule((low, high))).pixels[..., 0].astype(float)
    assert np.corrcoef(shown.ravel(), BASE.ravel().astype(float))[0, 1] > 0.999


def test_what_does_not_fit_is_told(tmp_path):
    result = proposed(tmp_path, *[png(G12)] * 5, tiff(BASE))
    assert result.block == {"intensity": "12 bits"}
    assert [path for path, _ in result.misfits] == ["5.bin"]
    assert result.lines[1] == (
        "warning",
        "1 of the files that were measured differ, first 5.bin: holds 8 bits, shown as they are; the others have 12 bits "
        "(0 to 4095)",
    )


def test_nothing_is_told_of_8_bits(tmp_path):
    assert proposed(tmp_path, tiff(BASE)).lines == []
