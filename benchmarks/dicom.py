"""Decoding DICOM against pydicom's bare loops, with and without a window, on one core; made files of 512 x 512 px."""

import io
import time
from collections.abc import Callable

import numpy as np
import pydicom
from pydicom.pixels import apply_modality_lut, apply_voi_lut

from benchmarks.figures import Figure, ratio, save
from pipeline.data.images import decoding, dicom
from pipeline.data.images.pixel_rule import PixelRule
from tests.helpers.dicom import SYNTAXES, dataset, in_syntax

N, ROUNDS = 20, 7
LOW, HIGH = -160, 240  # Hounsfield units that become 0 and 255


def files(syntax: str) -> list[bytes]:
    """Return made CT slices of 12 bits."""
    rng = np.random.default_rng(1)
    values = [rng.integers(0, 4096, (512, 512)).astype(np.uint16) for _ in range(N)]
    window = {"RescaleSlope": 1, "RescaleIntercept": -1024, "WindowCenter": 40, "WindowWidth": 400}
    return [in_syntax(dataset(array, BitsStored=12, **window), syntax) for array in values]


def bare(data: bytes) -> np.ndarray:
    """Return the pixels as pydicom decodes them, without its windows."""
    return pydicom.dcmread(io.BytesIO(data)).pixel_array


def shown(data: bytes) -> np.ndarray:
    """Return the pixels through pydicom's pipeline to what is shown, as uint8."""
    ds = pydicom.dcmread(io.BytesIO(data))
    values = apply_voi_lut(apply_modality_lut(ds.pixel_array, ds), ds)
    return ((values - values.min()) / max(1, values.max() - values.min()) * 255).astype(np.uint8)


def stored(data: bytes) -> np.ndarray:
    """Return the stored values as our reader gives them, the limits checked."""
    return dicom.parse(data).read_frame().values


def windowed(data: bytes) -> np.ndarray:
    """Return the pixels of `bare` through a window in 32-bit floats, the shortest way to 8 bits in numpy, as uint8."""
    values = bare(data).astype(np.float32)
    values -= np.float32(LOW + 1024)
    values *= np.float32(255 / (HIGH - LOW))
    np.rint(np.clip(values, 0, 255, out=values), out=values)
    return values.astype(np.uint8)


def grey(data: bytes) -> np.ndarray:
    """Return the pixels by the rule of a data set, uint8 grey, of which the model's square is made."""
    with decoding.upright(data, PixelRule((LOW, HIGH))) as (image, _):
        return np.asarray(image)


def rgb(data: bytes) -> np.ndarray:
    """Return the pixels by the rule of a data set, uint8 RGB."""
    return decoding.decode(data, PixelRule((LOW, HIGH))).pixels


def rates(works: list[Callable[[bytes], np.ndarray]], some: list[bytes]) -> list[float]:
    """Return files a second of processor time of each, the best of rounds in which they take turns."""
    best = [0.0] * len(works)
    for _ in range(ROUNDS):
        for index, work in enumerate(works):
            start = time.process_time()
            for data in some:
                work(data)
            best[index] = max(best[index], len(some) / (time.process_time() - start))
    return best


def main() -> None:
    figures: list[Figure] = []
    for syntax in SYNTAXES:
        some = files(syntax)
        works = (stored, grey, rgb, bare, shown, windowed)
        values, to_grey, to_rgb, by_pydicom, shown_by_pydicom, by_floats = rates(list(works), some)
        bar = {"at_least": 0.9} if syntax in ("explicit", "implicit") else {}
        for what, above, below, limit in (
            ("stored values against dcmread and pixel_array", values, by_pydicom, bar),
            ("8 bits by a rule against pydicom's slope and window", to_grey, shown_by_pydicom, bar),
            ("8 bits by a rule against pixel_array and a window in 32-bit floats", to_grey, by_floats, {}),
            ("8 bits by a rule against pixel_array alone", to_grey, by_pydicom, {}),
            ("RGB by a rule against pixel_array alone", to_rgb, by_pydicom, {}),
        ):
            figures.append(ratio(f"{syntax}: {what}", above, below, "files/s", **limit))
    save("dicom", "DICOM", figures)


if __name__ == "__main__":
    main()
