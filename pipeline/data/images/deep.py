"""Read images of more than 8 bits a value, which Pillow opens, as the numbers they store."""

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from pipeline.core.errors import DataError
from pipeline.data.images.stored_values import StoredValues

PHOTOMETRIC, SAMPLE_FORMAT, BITS = 262, 339, 258  # tags of TIFF
MIN_IS_WHITE = 0
LOW_BYTES = {"RGB;16B": "RGB;16L", "RGB;16L": "RGB;16B", "RGBA;16B": "RGBA;16L", "RGBA;16L": "RGBA;16B"}
GREY_ALPHA = "LA;16B"


def is_deep(image: Image.Image) -> bool:
    """Return whether an opened image, not yet decoded, stores more than 8 bits a value."""
    return image.mode in ("I", "F") or image.mode.startswith("I;16") or colour_16(image) is not None


def colour_16(image: Image.Image) -> str | None:
    """Return the way in which Pillow reads 16-bit colours (it keeps their high bytes), None for other images."""
    modes = {mode_of(tile) for tile in getattr(image, "tile", [])}
    mode = modes.pop() if len(modes) == 1 else None
    return mode if mode in LOW_BYTES or mode == GREY_ALPHA else None


def mode_of(tile: tuple) -> str | None:
    """Return the raw mode that a tile of Pillow's is decoded with."""
    arguments = tile[3]
    mode = arguments if isinstance(arguments, str) else arguments[0] if arguments else None
    return mode.replace("16N", "16L") if isinstance(mode, str) else None


def with_mode(tile: Any, mode: str) -> Any:
    """Return a tile that is decoded with another raw mode."""
    arguments = tile[3]
    return type(tile)(*tile[:3], mode if isinstance(arguments, str) else (mode, *arguments[1:]))


def read_deep(image: Image.Image, reopen: Callable[[], Image.Image]) -> StoredValues:
    """Return the values of an opened image for which `is_deep` holds; `reopen` opens it again.

    16-bit colours are decoded twice, for their high and their low bytes. Transparent pixels become black.
    """
    mode = colour_16(image)
    if mode is not None:
        return StoredValues(read_colours(image, mode, reopen), 0, 65535)
    tags = getattr(image, "tag_v2", {})
    image.load()
    values = np.asarray(image)
    inverted = tags.get(PHOTOMETRIC) == MIN_IS_WHITE
    if values.dtype.kind == "f":
        return StoredValues(values, 0, 1, is_inverted=inverted, n_bits=32)
    if image.mode != "I":
        return StoredValues(values.astype(np.uint16, copy=False), 0, 65535, is_inverted=inverted)
    return narrowed(values, tags, inverted)


def narrowed(values: np.ndarray, tags: dict, inverted: bool) -> StoredValues:
    """Return 32-bit integers with the type that the file declares: Pillow opens signed and 16-bit ones as 32 bits, too."""
    bits = tags.get(BITS, (16,))[0] if tags else 16
    signed = tags.get(SAMPLE_FORMAT, (1,))[0] == 2
    if bits == 32 and not signed and values.min(initial=0) < 0:
        values = values.view(np.uint32)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    if bits == 16 and low <= values.min() and values.max() <= high:
        values = values.astype(np.int16 if signed else np.uint16)
    return StoredValues(values, low, high, is_inverted=inverted, n_bits=bits)


def read_colours(image: Image.Image, mode: str, reopen: Callable[[], Image.Image]) -> np.ndarray:
    """Return 16-bit colours as uint16 (height, width, 3), grey ones with transparency as (height, width)."""
    if mode == GREY_ALPHA:  # two values of two bytes, read as four bytes
        raw = decoded(image, "RGBA", "RGBA").astype(np.uint16)
        grey, alpha = raw[..., 0] << 8 | raw[..., 1], raw[..., 2] << 8 | raw[..., 3]
        return over_black(grey, alpha)
    kept = mode.split(";")[0]
    high_byte = decoded(image, kept, mode).astype(np.uint16) << 8
    with reopen() as again:
        values = high_byte | decoded(again, kept, LOW_BYTES[mode])
    return over_black(values[..., :3], values[..., 3:]) if kept == "RGBA" else values


def over_black(values: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return uint16 values, each times its share of 65535."""
    return np.round(values * (alpha / 65535)).astype(np.uint16)


def decoded(image: Image.Image, mode: str, raw_mode: str) -> np.ndarray:
    """Return the bytes of an opened image, decoded with another raw mode."""
    if image.mode not in (mode, "LA"):
        raise DataError(f"is a 16-bit image of mode {image.mode}, which is not read; save it as RGB or grey")
    file: Any = image  # the tiles and the mode of an ImageFile have no types
    file.tile = [with_mode(tile, raw_mode) for tile in file.tile]
    file._mode = mode
    image.load()
    return np.asarray(image)
