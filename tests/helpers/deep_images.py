"""Images of more than 8 bits, written by hand."""

import struct

import numpy as np
from PIL import Image

from pipeline.data.images import decoding
from tests.helpers.samples import chunk, encoded, png_header

rng = np.random.default_rng(5)
BASE = rng.integers(10, 250, (40, 60)).astype(np.uint8)
G12 = BASE.astype(np.uint16) * 16 + rng.integers(0, 16, BASE.shape).astype(np.uint16)


def tiff(values: np.ndarray, **tags: int) -> bytes:
    """Return an uncompressed grey TIFF, written by hand: Pillow writes neither int16 nor the white that is the lowest value."""
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    order = ">" if tags.pop("big", 0) else "<"
    entries = {
        256: values.shape[1], 257: values.shape[0], 258: 8 * values.dtype.itemsize, 259: 1,
        262: tags.pop("photometric", 1), 273: 8, 277: 1, 278: values.shape[0], 279: values.nbytes, 339: kind,
    } | {int(tag[1:]): value for tag, value in tags.items()}  # fmt: skip
    data = values.astype(values.dtype.newbyteorder(order)).tobytes()
    directory = struct.pack(order + "H", len(entries))
    directory += b"".join(struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in sorted(entries.items()))
    mark = b"MM" if order == ">" else b"II"
    return mark + struct.pack(order + "HI", 42, 8 + len(data)) + data + directory + bytes(4)


def png(values: np.ndarray, colour: int = 0, sbit: bytes = b"") -> bytes:
    """Return a 16-bit PNG of uint16 (height, width) or (height, width, n)."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png_header(values.shape[1], values.shape[0], rows, 16, colour, chunk(b"sBIT", sbit) if sbit else b"")


def pixels(image: Image.Image, file_format: str = "PNG", **options) -> np.ndarray:
    """Return what is decoded of an image stored in a format."""
    return decoding.decode(encoded(image, file_format, **options)).pixels
