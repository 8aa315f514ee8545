"""Colours of DICOM files that store indices: palettes, plain or in segments (DICOM PS3.3, C.7.6.3.1.5 and C.7.9.2).

pydicom's own functions expand segments without a bound (360 kB to 5 GB), and take indices modulo 256 where entries have 8 bits.
"""

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian

from pipeline.core.errors import DataError

RUN, RAMP, REFERENCE = 0, 1, 2  # kinds of segments
MOST_ENTRIES = 2**16


def palette_colours(values: np.ndarray, ds: Dataset) -> np.ndarray:
    """Return the colours of indices, integers (h, w), as uint8 or uint16 (h, w, 3)."""
    if ds.get("RedPaletteColorLookupTableDescriptor") is None:
        raise DataError("says that it has a palette, and has none: it is damaged")
    n_entries, first, bits = (int(value) for value in ds.RedPaletteColorLookupTableDescriptor)
    n_entries = n_entries or MOST_ENTRIES
    first = first - 2**16 if ds.get("PixelRepresentation", 0) == 1 and first >= 2**15 else first
    tables = [table_of(ds, colour, n_entries, bits) for colour in ("Red", "Green", "Blue")]
    n_entries = min(n_entries, *map(len, tables))
    if not n_entries:
        raise DataError("has an empty palette: it is damaged")
    indices = (values.astype(np.int64) - first).clip(0, n_entries - 1)
    return np.stack([table[indices] for table in tables], axis=-1)


def table_of(ds: Dataset, colour: str, n_entries: int, bits: int) -> np.ndarray:
    """Return the entries of one colour, uint8 or uint16 (n,)."""
    plain = bytes(ds.get(f"{colour}PaletteColorLookupTableData") or b"")
    raw = plain or bytes(ds.get(f"Segmented{colour}PaletteColorLookupTableData") or b"")
    if not raw or bits not in (8, 16):
        raise DataError(f"has no palette for {colour.lower()} in 8 or 16 bits: it is damaged")
    if ds.file_meta.TransferSyntaxUID == ExplicitVRBigEndian:  # words, also where an entry has 8 bits
        raw = np.frombuffer(raw[: len(raw) // 2 * 2], ">u2").astype("<u2").tobytes()
    if not plain:
        return expand(np.frombuffer(raw[: len(raw) // (bits // 8) * (bits // 8)], f"<u{bits // 8}"), n_entries)
    wide = len(raw) >= 2 * n_entries  # 8 bits may be stored in 16
    return np.frombuffer(raw[: len(raw) // 2 * 2], "<u2") if wide else np.frombuffer(raw, np.uint8)


def expand(stored: np.ndarray, n_entries: int) -> np.ndarray:
    """Return the entries, of the type of `stored`, that segments stand for; raise DataError for more than `n_entries`."""
    numbers, width = stored.tolist(), stored.dtype.itemsize
    table: list[int] = []
    pending, n_segments = [(0, len(numbers))], 0  # where to go on, and how many segments from there
    while pending:
        start, left = pending.pop()
        if start + 1 >= len(numbers) or not left:
            continue
        kind, length = numbers[start : start + 2]
        arguments = numbers[start + 2 : start + 2 + {RUN: length, RAMP: 1, REFERENCE: 4 // width}.get(kind, 0)]
        pending.append((start + 2 + len(arguments), left - 1))
        if kind == RUN:
            table += arguments
        elif kind == RAMP and table and arguments and length:
            step = (arguments[0] - table[-1]) / length
            table += np.rint(np.linspace(table[-1] + step, arguments[0], length)).astype(int).tolist()
        elif kind == REFERENCE and table and len(pending) == 1:  # to segments, not to other references
            pending.append((int.from_bytes(np.array(arguments, stored.dtype).tobytes(), "little"), length))
        elif kind != RAMP or length:
            raise DataError(f"has a palette with a segment of kind {kind}, which does not fit there: it is damaged")
        n_segments += 1
        if max(len(table), n_segments) > n_entries + 1:
            raise DataError(f"has a palette that expands to more than its {n_entries} entries: it is damaged")
    return np.array(table, stored.dtype)
