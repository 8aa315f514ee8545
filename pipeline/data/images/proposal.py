"""Propose the intensity rule of a new data set from what its files declare and hold."""

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.core.artifacts import JSON
from pipeline.core.errors import DataError
from pipeline.core.parallel import run_parallel
from pipeline.data.images import image_file
from pipeline.data.images.deep import is_deep, read_deep
from pipeline.data.images.dicom_files import is_dicom
from pipeline.data.images.limits import FORMATS, HEAD, check_size, explained
from pipeline.data.images.pixel_rule import PixelRule
from pipeline.data.images.stored_values import StoredValues

MEASURED = 200  # files whose values are read
STEP = 3  # every third row and column tells the spread
MOST = (
    0.95  # of the files decide how many bits are used: a stray one with more is reported, and makes the rest no darker
)
ENDS = (0.1, 99.9)  # percentiles between which signed values and floats are shown
AIR, BONE = -1024.0, 3071.0  # Hounsfield units; lower ones are padding, higher ones metal
MODES_OF_8_BITS = ("JPEG", "BMP", "WEBP")


@dataclass(frozen=True)
class Held:
    """What a file holds: its lowest and highest value, percentiles, the declared bits and window. `is_display`: 8 bits;
    `is_linear`: that window, which else is a curve or a lookup table.
    """

    low: float
    high: float
    ends: tuple[float, float]
    kind: str
    n_bits: int
    own: tuple[float, float] | None = None
    is_dicom: bool = False
    is_display: bool = False
    is_linear: bool = True


@dataclass(frozen=True)
class Proposed:
    """An intensity for params.yaml, None where the default will do; why; and what does not fit, as (path, reason)."""

    intensity: str | tuple[float, float] | None = None
    reason: str = ""
    misfits: Sequence[tuple[str, str]] = ()

    @property
    def block(self) -> JSON:
        """What is added to `read` of params.yaml."""
        if self.intensity is None:
            return {}
        return {"intensity": list(self.intensity) if isinstance(self.intensity, tuple) else self.intensity}

    @property
    def lines(self) -> list[tuple[str, str]]:
        """What is told about it, as (title, text)."""
        if self.intensity is None:
            return []
        lines = [("intensity", f"{PixelRule(self.intensity).words}: {self.reason}; read.intensity decides otherwise")]
        if self.misfits:
            path, reason = self.misfits[0]
            lines.append(
                ("warning", f"{len(self.misfits)} of the files that were measured differ, first {path}: {reason}")
            )
        return lines


def propose(paths: Sequence[Path], workers: int) -> Proposed:
    """Return the proposal for the files at `paths`, of which some are measured."""
    chosen = list(paths[:: max(1, len(paths) // MEASURED)])[: 2 * MEASURED]
    contents = list(run_parallel(measure, chosen, workers))
    measured = [(path, held) for path, held in zip(chosen, contents, strict=True) if held is not None]
    deep = [held for _, held in measured if not held.is_display]
    if not deep:
        return Proposed()
    intensity, reason = choose(deep)
    rule = PixelRule(intensity)
    misfits = [(path.name, misfit) for path, held in measured if (misfit := misfit_of(held, rule))]
    return Proposed(intensity, reason, misfits)


def choose(deep: list[Held]) -> tuple[str | tuple[float, float], str]:
    """Return the intensity for files of more than 8 bits, and why."""
    n_files = f"{len(deep)} files were measured"
    windows = Counter(held.own for held in deep if held.own)
    if windows and sum(windows.values()) > len(deep) / 2:
        window, most = windows.most_common(1)[0]
        n_curves = sum(not held.is_linear for held in deep)
        if n_curves:
            return "file", f"{n_curves} of {len(deep)} files declare a curve or a lookup table"
        if most == len(deep) or deep[0].kind == "Hounsfield":
            return window, f"the window that {most} of {len(deep)} files declare"
        return "file", f"each file declares a window of its own, {len(windows)} in {len(deep)} files"
    kind = Counter(held.kind for held in deep).most_common(1)[0][0]
    same = [held for held in deep if held.kind == kind]
    low, high = min(held.low for held in same), max(held.high for held in same)
    if kind == "unsigned":
        high = sorted(held.high for held in same)[-1 - int((1 - MOST) * len(same))]
        bits = used_bits(same, high)
        return ("full" if bits == 16 else f"{bits} bits"), f"the values go up to {high:g} ({n_files})"
    if kind == "float" and low >= 0 and high <= 1:
        return "full", f"floats from 0 to 1 ({n_files})"
    if kind == "float" and low >= 0 and 128 < high <= 255:
        return (0.0, 255.0), f"floats up to {high:g} ({n_files})"
    ends = min(held.ends[0] for held in same), max(held.ends[1] for held in same)
    if kind == "Hounsfield":
        ends = max(ends[0], AIR), min(ends[1], BONE)
    return rounded(*ends), f"the values go from {low:g} to {high:g}, nearly all of them between these ({n_files})"


def used_bits(held: list[Held], high: float) -> int:
    """Return the bits that unsigned values use: those that most files declare, if they fit, else the fewest of 8 to 16."""
    declared = Counter(file.n_bits for file in held).most_common(1)[0][0]
    fewest = next((bits for bits in (8, 10, 12, 14, 16) if high < 2**bits), 32)
    return declared if declared < 16 and high < 2**declared else fewest


def rounded(low: float, high: float) -> tuple[float, float]:
    """Return a range as numbers that are easy to read: outwards, in steps of about a hundredth of it."""
    step = 10.0 ** np.floor(np.log10(max(high - low, 1e-9) / 20))
    return float(np.floor(low / step) * step), float(np.ceil(high / step) * step) if high > low else low + step


def misfit_of(held: Held, rule: PixelRule) -> str:
    """Return why a file does not look like those that a rule is for, or ""."""
    ends = np.array([[held.low, held.high]])
    values = StoredValues(ends, held.low, held.high, n_bits=8 if held.is_display else 16)
    return values.misfit(rule)


def measure(path: Path) -> Held | None:
    """Return what a file holds, None for one that cannot be read."""
    try:
        data = image_file.read(path)
        with explained(data[:HEAD]):
            if is_dicom(data[:HEAD]):
                from pipeline.data.images import dicom

                return held_by(dicom.parse(data).read_frame())
            return measure_image(data)
    except DataError:
        return None


def measure_image(data: bytes) -> Held:
    """Return what an image that Pillow opens holds."""

    def reopen() -> Image.Image:
        return Image.open(io.BytesIO(data), formats=FORMATS)

    with reopen() as image:
        check_size(*image.size)
        if image.format in MODES_OF_8_BITS or not is_deep(image):
            return Held(0, 255, (0, 255), "unsigned", 8, is_display=True)
        declared = significant_bits(data) if image.format == "PNG" else 16
        held = held_by(read_deep(image, reopen))
    return held if declared == 16 else Held(held.low, held.high, held.ends, held.kind, declared)


def significant_bits(data: bytes) -> int:
    """Return the bits of a PNG's chunk sBIT, 16 without: it may be scaled up to 16, which the values tell."""
    start = data.find(b"sBIT", 0, 4096)
    return min(16, data[start + 4]) if start > 0 and data[start + 4] else 16


def held_by(values: StoredValues) -> Held:
    """Return what stored values hold."""
    low, high = values.held()
    some = values.values[::STEP, ::STEP]
    some = (some if values.padding is None else some[some != values.padding]).astype(np.float64)
    some = values.to_units(some) if values.to_units else some
    some = some[np.isfinite(some)]
    first, last = np.percentile(some, ENDS) if some.size else (low, high)
    own = (float(values.own.low), float(values.own.high)) if values.own else None
    kind = "float" if values.values.dtype.kind == "f" else "signed" if low < 0 else "unsigned"
    if low <= -500 and high <= 32767 and is_whole(some):
        kind = "Hounsfield"
    return Held(
        low,
        high,
        (float(first), float(last)),
        kind,
        values.n_bits,
        own,
        values.is_dicom,
        values.is_display,
        values.own is None or values.own.is_linear,
    )


def is_whole(values: np.ndarray) -> bool:
    """Return whether values are whole numbers, as Hounsfield units mostly are."""
    return bool((values == np.rint(values)).all())
