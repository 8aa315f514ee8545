"""From stored values to physical ones (modality LUT), and to what is shown (VOI LUT, windows): DICOM PS3.3, C.11.1 and C.11.2."""

from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from pipeline.core.errors import DataError
from pipeline.data.images.stored_values import Scale, Window

Ends = tuple[float, float]


def to_units(ds: Dataset, groups: list[Dataset], signed: bool, ends: Ends) -> tuple[Scale | None, Ends]:
    """Return the function from stored to physical values, None where they are the same, and `ends` in these units.

    `groups`: the functional groups of an enhanced file's frame, which come before the data set itself.
    """
    if ds.get("ModalityLUTSequence"):
        table, first, bits = lookup_table(ds.ModalityLUTSequence[0], signed)
        return (lambda values: looked_up(values, table, first)), (0.0, float(2**bits - 1))
    names = "RescaleSlope", "RescaleIntercept"  # one may be missing
    source = next(
        filter(None, (first_with(name, ds, groups, "PixelValueTransformationSequence") for name in names)), None
    )
    if source is None:
        return None, ends
    slope, intercept = (
        float(default if source.get(name) is None else source.get(name))
        for name, default in zip(names, (1, 0), strict=True)
    )
    if (slope, intercept) == (1, 0):
        return None, ends
    low, high = sorted(end * slope + intercept for end in ends)
    if not np.isfinite([low, high]).all() or low == high:
        raise DataError(f"has the rescale slope {slope:g} and intercept {intercept:g}: its values cannot be told apart")
    return (lambda values: values * slope + intercept), (low, high)


def own_window(ds: Dataset, groups: list[Dataset], signed: bool) -> Window | None:
    """Return the first VOI LUT or window that a file declares, None without a usable one."""
    source = first_with("WindowCenter", ds, groups, "FrameVOILUTSequence") or ds
    tables = source.get("VOILUTSequence") or ds.get("VOILUTSequence")
    if tables and tables[0].get("LUTDescriptor") and tables[0].get("LUTData") is not None:
        table, first, bits = lookup_table(tables[0], signed)
        scale = 1 / (2**bits - 1)
        return Window(lambda values: looked_up(values, table, first) * scale, first, first + len(table) - 1, False)
    centre, width = number(source.get("WindowCenter")), number(source.get("WindowWidth"))
    if centre is None or width is None or not np.isfinite([centre, width]).all():
        return None
    return window(centre, width, str(source.get("VOILUTFunction") or "LINEAR").strip())


def window(centre: float, width: float, function: str) -> Window | None:
    """Return the window of these numbers; None for a width that the standard does not allow."""
    if function == "SIGMOID":
        if width <= 0:
            return None
        return Window(lambda x: 1 / (1 + np.exp(-4 * (x - centre) / width)), centre - width, centre + width, False)
    if function == "LINEAR" and width >= 1:
        centre, width = centre - 0.5, width - 1
    elif function != "LINEAR_EXACT" or width <= 0:
        return None
    low, high = centre - width / 2, centre + width / 2
    if width == 0:
        return Window(lambda x: (x > centre).astype(float), low, high)
    return Window(lambda x: ((x - low) / width).clip(0, 1), low, high)


def first_with(name: str, ds: Dataset, groups: list[Dataset], sequence: str) -> Dataset | None:
    """Return what holds an element: a functional group's sequence or the data set, None where neither does."""
    for group in groups:
        items = group.get(sequence)
        if items and items[0].get(name) is not None:
            return items[0]
    return ds if ds.get(name) is not None else None


def number(value: Any) -> float | None:
    """Return the first of an element's numbers, None where there is none."""
    first = value[0] if isinstance(value, list) or hasattr(value, "append") else value
    return None if first is None or first == "" else float(first)


def lookup_table(item: Dataset, signed: bool) -> tuple[np.ndarray, int, int]:
    """Return a table as float64 (n,), the value that its first entry is for, and the bits of its entries."""
    n_entries, first, bits = (int(value) for value in item.LUTDescriptor)
    n_entries = n_entries or 2**16
    first = first - 2**16 if signed and first >= 2**15 else first
    data = item.LUTData
    if isinstance(data, bytes):
        data = np.frombuffer(data, np.uint8 if bits == 8 and len(data) < 2 * n_entries - 1 else "<u2")
    table = np.asarray(data, np.float64)[:n_entries]
    if not len(table) or not 1 <= bits <= 16:
        raise DataError(f"has a lookup table of {len(table)} entries of {bits} bits, which cannot be read")
    return table, first, bits


def looked_up(values: np.ndarray, table: np.ndarray, first: int) -> np.ndarray:
    """Return the entry for each value; those before and behind the table get its first and last one."""
    return table[(np.nan_to_num(np.rint(values)) - first).clip(0, len(table) - 1).astype(int)]
