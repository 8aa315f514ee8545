"""Numbers as a file stores them (more than 8 bits, signed, floats), and how a rule turns them into 0..255."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.data.images.pixel_rule import PixelRule

LEAST_SHARE = 1 / 16  # of a rule's range: values within less look like another number of bits
SLACK = 1 / 64  # of a rule's range, by which values may lie outside: rounding of a conversion
BAND = 1_000_000  # values that are converted at once
Scale = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Window:
    """A window that a file declares: what it maps, float64 -> 0..1, and the values that become 0 and 1.

    `is_linear`: not a curve or a lookup table, which these two values alone would not give.
    """

    apply: Scale
    low: float
    high: float
    is_linear: bool = True


@dataclass(frozen=True)
class StoredValues:
    """The values of one image.

    values : (height, width) or (height, width, 3), integers or floats
    low, high : the range of their type, or what the file declares, as `to_units` gives it
    to_units : from stored to physical values (a DICOM file's modality LUT); None where they are the same
    own : the window that the file declares, None without
    is_inverted : whether the lowest value is white
    has_range : whether low and high are of the type or the header, not of the values themselves
    padding : the stored value around the image, which it does not show
    oddity : what is wrong with the file whatever the rule, or ""
    """

    values: np.ndarray
    low: float
    high: float
    to_units: Scale | None = None
    own: Window | None = None
    is_inverted: bool = False
    is_dicom: bool = False
    n_bits: int = 16
    has_range: bool = True
    padding: int | None = None
    oddity: str = ""

    @property
    def is_display(self) -> bool:
        """Whether these are 8 bits without a unit: what a screen shows, to which no window is applied."""
        return self.n_bits <= 8 and self.to_units is None

    @cached_property
    def _ends(self) -> tuple[int, int]:
        return int(self.values.min()), int(self.values.max())

    def held(self) -> tuple[float, float]:
        """Return the lowest and highest finite value, in units; (0, 0) where there is none."""
        if self.values.dtype.kind in "iu":
            kept = self.values if self.padding is None else self.values[self.values != self.padding]
            all_kept = self.padding is None or not kept.size
            ends = np.array(self._ends if all_kept else (kept.min(), kept.max()), np.float64)
        else:
            finite = self.values[np.isfinite(self.values)]
            ends = np.array([finite.min(), finite.max()] if finite.size else [0, 0], np.float64)
        ends = self.to_units(ends) if self.to_units else ends
        return float(ends.min()), float(ends.max())

    def scale(self, rule: PixelRule) -> Scale:
        """Return the function from stored values, float64, to 0..1 by a rule."""
        window = None if self.is_display else rule.window
        if window is None and self.own is not None and (rule.intensity in (None, "file")):
            apply = self.own.apply
        else:
            apply = linear(*(window or self.range_by(rule)))
        units = self.to_units or (lambda values: values)
        return (lambda values: 1 - apply(units(values))) if self.is_inverted else (lambda values: apply(units(values)))

    def range_by(self, rule: PixelRule) -> tuple[float, float]:
        """Return the ends of the type; of floats that declare none, 0 and 1 under the rule `full`, else their own."""
        return (0.0, 1.0) if not self.has_range and rule.intensity == "full" else (self.low, self.high)

    def pixels(self, rule: PixelRule) -> np.ndarray:
        """Return uint8 of the same shape."""
        scale, values = self.scale(rule), self.values
        if values.dtype.kind in "iu" and values.dtype.itemsize <= 2:
            low, high = self._ends
            low = min(low, 0)
            table = to_bytes(scale, np.arange(low, high + 1, dtype=np.float64))
            # np.take needs half the time of table[...]
            return np.take(table, values if low == 0 else offsets(values, low))
        out = np.empty(values.shape, np.uint8)
        rows = max(1, BAND // max(1, values[0].size))
        for top in range(0, len(values), rows):
            band = values[top : top + rows].astype(np.float64)
            out[top : top + rows] = to_bytes(scale, band)
        return out

    def misfit(self, rule: PixelRule) -> str:
        """Return why the values do not look like those that a rule is for, or what is wrong with the file; else ""."""
        if self.oddity:
            return self.oddity
        low, high = self.held()
        shown = f"values from {low:g} to {high:g}"
        if rule.intensity in (None, "file"):
            return self._misfit_of_own_range(low, high, f"holds {shown}")
        if self.is_display:
            what = "colours" if self.values.ndim == 3 else f"{self.n_bits} bits"
            return f"holds {what}, shown as they are; the others have {rule.words}"
        window = rule.window or self.range_by(rule)
        width = window[1] - window[0]
        is_range = rule.bits is not None or rule.intensity == "full"
        if is_range and (high > window[1] + SLACK * width or low < window[0] - SLACK * width):
            return f"holds {shown}, outside of {rule.words}: they are cut off"
        if high <= window[0] or low >= window[1]:
            return f"holds {shown}, all of them outside of {rule.words}"
        if min(high, window[1]) - max(low, window[0]) < LEAST_SHARE * width and high > low:
            return f"holds {shown}, a small part of {rule.words}"
        return ""

    def _misfit_of_own_range(self, low: float, high: float, holds: str) -> str:
        """Return why values are hardly shown by the file's own window or range, or ""; `holds` says what they are."""
        if self.own is None and not self.has_range:
            return f"{holds}, stretched by its own range: set read.intensity"
        ends, what = (self.low, self.high), f"its {self.n_bits} bits"
        if self.own is not None:
            ends, what = (self.own.low, self.own.high), f"its own window ({self.own.low:g} to {self.own.high:g})"
        is_part = not self.is_display and 0 < high - low < LEAST_SHARE * (ends[1] - ends[0])
        return f"{holds}, a small part of {what}: set read.intensity" if is_part else ""


def in_stored_bits(values: np.ndarray, stored: int, signed: bool, shift: int) -> np.ndarray:
    """Return integers with only their stored bits: others may hold an overlay, or nothing where a sign should be."""
    allocated = 8 * values.dtype.itemsize
    if stored >= allocated:
        return values
    if shift <= 0:
        low, high = (-(2 ** (stored - 1)), 2 ** (stored - 1) - 1) if signed else (0, 2**stored - 1)
        if low <= values.min() and values.max() <= high:
            return values
    left = allocated - stored - max(0, shift)
    return (values << left) >> (allocated - stored)


def offsets(values: np.ndarray, low: int) -> np.ndarray:
    """Return how far integers of 8 or 16 bits lie above `low`, their least value, which is negative; unsigned."""
    unsigned = values.view(f"u{values.dtype.itemsize}")
    return unsigned - unsigned.dtype.type(low % 2 ** (8 * values.dtype.itemsize))


def linear(low: float, high: float) -> Scale:
    """Return the function that maps low to 0 and high to 1; what is beyond is cut off, and what is no number becomes 0."""
    return lambda values: np.nan_to_num((values - low) / (high - low), nan=0, posinf=0, neginf=0).clip(0, 1)


def to_bytes(scale: Scale, values: np.ndarray) -> np.ndarray:
    """Return values, float64, as uint8; NaN and infinity become black."""
    with np.errstate(all="ignore"):
        return np.round(np.nan_to_num(scale(values), nan=0, posinf=0, neginf=0).clip(0, 1) * 255).astype(np.uint8)
