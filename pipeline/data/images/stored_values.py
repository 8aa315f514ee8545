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
    """A window that a file declares: what it maps, float64 -> 0..1, and the values that become 0 and 1."""

    apply: Scale
    low: float
    high: float


@dataclass(frozen=True)
class StoredValues:
    """The values of one image.

    values : (height, width) or (height, width, 3), integers or floats
    low, high : the range of their type, or what the file declares, as `to_units` gives it
    to_units : from stored to physical values (a DICOM file's modality LUT); None where they are the same
    own : the window that the file declares, None without
    is_inverted : whether the lowest value is white
    """

    values: np.ndarray
    low: float
    high: float
    to_units: Scale | None = None
    own: Window | None = None
    is_inverted: bool = False
    is_dicom: bool = False
    n_bits: int = 16

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
            ends = np.array(self._ends, np.float64)
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
            low, high = window or (self.low, self.high)
            apply = linear(low, high)
        units = self.to_units or (lambda values: values)
        return (lambda values: 1 - apply(units(values))) if self.is_inverted else (lambda values: apply(units(values)))

    def pixels(self, rule: PixelRule) -> np.ndarray:
        """Return uint8 of the same shape."""
        scale, values = self.scale(rule), self.values
        if values.dtype.kind in "iu" and values.dtype.itemsize <= 2:
            low, high = self._ends
            low = min(low, 0)
            table = to_bytes(scale, np.arange(low, high + 1, dtype=np.float64))
            # np.take needs half the time of table[...]
            return np.take(table, values if low == 0 else values.view(np.uint16) - np.uint16(low % 65536))
        out = np.empty(values.shape, np.uint8)
        rows = max(1, BAND // max(1, values[0].size))
        for top in range(0, len(values), rows):
            band = values[top : top + rows].astype(np.float64)
            out[top : top + rows] = to_bytes(scale, band)
        return out

    def misfit(self, rule: PixelRule) -> str:
        """Return why the values do not look like those that a rule is for, or ""."""
        low, high = self.held()
        shown = f"values from {low:g} to {high:g}"
        if rule.intensity in (None, "file"):
            return ""
        if self.is_display:
            what = "colours" if self.values.ndim == 3 else f"{self.n_bits} bits"
            return f"holds {what}, shown as they are; the others have {rule.words}"
        window = rule.window or (self.low, self.high)
        width = window[1] - window[0]
        is_range = rule.bits is not None or rule.intensity == "full"
        if is_range and (high > window[1] + SLACK * width or low < window[0] - SLACK * width):
            return f"holds {shown}, outside of {rule.words}: they are cut off"
        if high <= window[0] or low >= window[1]:
            return f"holds {shown}, all of them outside of {rule.words}"
        if min(high, window[1]) - max(low, window[0]) < LEAST_SHARE * width and high > low:
            return f"holds {shown}, a small part of {rule.words}"
        return ""


def linear(low: float, high: float) -> Scale:
    """Return the function that maps low to 0 and high to 1; what is beyond is cut off, and what is no number becomes 0."""
    return lambda values: np.nan_to_num((values - low) / (high - low), nan=0, posinf=0, neginf=0).clip(0, 1)


def to_bytes(scale: Scale, values: np.ndarray) -> np.ndarray:
    """Return values, float64, as uint8; NaN and infinity become black."""
    with np.errstate(all="ignore"):
        return np.round(np.nan_to_num(scale(values), nan=0, posinf=0, neginf=0).clip(0, 1) * 255).astype(np.uint8)
