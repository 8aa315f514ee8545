"""Decode images. All images of training and serving are decoded here.

Accepted: JPEG, PNG, BMP, TIFF, WebP with one frame and DICOM, from 16 px on a side to 50 megapixels. EXIF orientation is applied;
palette, grey, 1-bit and CMYK images are converted to RGB, more than 8 bits by the data set's rule (`pixel_rule`); transparency is
laid over black.
"""

import hashlib
import io
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFile

from pipeline.core.errors import DataError
from pipeline.data.images.deep import BITS, MIN_IS_WHITE, PHOTOMETRIC, SAMPLE_FORMAT, colour_16, is_deep, read_deep
from pipeline.data.images.dicom_files import FrameBytes, is_dicom
from pipeline.data.images.limits import FORMATS, HEAD, check_size, explained, refuse_other_formats
from pipeline.data.images.pixel_rule import AS_IT_WAS, PixelRule
from pipeline.data.images.squares import SIZE, to_square

LARGE = 8_000_000  # px, of which a server decodes one image at a time
BAND = 1_000_000  # px that are converted at once
DRAFT = 2 * SIZE  # px: a JPEG is decoded at the smallest scale not under this: 3000x2000 in 14 ms instead of 44
PLANAR, SEPARATE = 284, 2  # a tag of TIFF: Pillow mixes up the bytes of such planes
DARK = 2**14  # 16-bit values that all lie below this show as less than a quarter of the range
# A truncated file must raise: half an image must not pass for the whole.
ImageFile.LOAD_TRUNCATED_IMAGES = False
# The limit is ours (MAX_PIXELS, checked before a pixel is decoded), with an error that says what to do.
Image.MAX_IMAGE_PIXELS = None
# A damaged EXIF block does not make the pixels unreadable. Set once: `warnings.catch_warnings` is not safe with threads.
warnings.filterwarnings("ignore", module=r"PIL\.")
_one_large = threading.Lock()
# By the value of EXIF's tag Orientation.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class FileHeader:
    """What is known of an image before its values become RGB. `width`, `height`: as stored, in px, EXIF applied.

    `misfit`: why its values do not look like those that the data set's rule is for, or "". `n_frames`: of the file.
    """

    width: int
    height: int
    mode: str
    format: str
    misfit: str = ""
    n_frames: int = 1


@dataclass(frozen=True, kw_only=True)
class DecodedImage(FileHeader):
    """A decoded image: what its header says, and `pixels`, uint8 RGB (height, width, 3)."""

    pixels: np.ndarray

    @property
    def id(self) -> str:
        """16 hex digits of the SHA-256 of the decoded RGB pixels and their size: the same for any lossless copy."""
        height, width, _ = self.pixels.shape
        digest = hashlib.sha256(f"{width}x{height}:".encode())
        digest.update(np.ascontiguousarray(self.pixels).data)
        return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Square:
    """The model's input, uint8 RGB (SIZE, SIZE, 3), and `note`, what is unusual about its file."""

    pixels: np.ndarray
    note: str = ""


def decode(data: bytes, rule: PixelRule = AS_IT_WAS) -> DecodedImage:
    """Decode the bytes of one image file.

    Raises DataError, with the reason and what to do, for anything that is not one whole image within the limits.
    """
    with upright(data, rule) as (image, header):
        # merge needs a third of the time of convert
        pixels = np.asarray(Image.merge("RGB", (image, image, image)) if image.mode == "L" else image)
        return DecodedImage(**vars(header), pixels=pixels)


def square(data: bytes, rule: PixelRule = AS_IT_WAS) -> np.ndarray:
    """Return the pixels of `read_square`."""
    return read_square(data, rule).pixels


def read_square(data: bytes, rule: PixelRule = AS_IT_WAS) -> Square:
    """Return the model's input for an image file: `resize(decode(data).pixels)`, without the intermediate copies.

    Large images are decoded one at a time, whatever the number of threads: one of 50 megapixels takes up to 400 MB.
    """
    with upright(data, rule, _one_large) as (image, header):
        several = header.n_frames > 1 and not isinstance(data, FrameBytes)
        middle = f"frame {header.n_frames // 2 + 1} of {header.n_frames}" if several else ""
        return Square(to_square(image, SIZE, rule.resize), "; ".join(filter(None, (middle, header.misfit))))


@contextmanager
def upright(
    data: bytes, rule: PixelRule = AS_IT_WAS, one_large: AbstractContextManager | None = None
) -> Iterator[tuple[Image.Image, FileHeader]]:
    """Yield a decoded image as RGB, or as L where its three channels are equal, rotated as EXIF says, and its header.

    `one_large` is held while the pixels of a large image are in memory. Raises DataError as `decode` does.
    """
    refuse_other_formats(data[:HEAD])
    read = _upright_dicom if is_dicom(data[:HEAD]) else _upright_image
    with explained(data[:HEAD]), read(data, rule, one_large or nullcontext()) as result:
        yield result


@contextmanager
def _upright_dicom(
    data: bytes, rule: PixelRule, one_large: AbstractContextManager
) -> Iterator[tuple[Image.Image, FileHeader]]:
    from pipeline.data.images import dicom  # pydicom is loaded for the first DICOM file

    dataset = dicom.parse(data)
    large = dataset.width * dataset.height > LARGE
    with one_large if large else nullcontext():
        values = dataset.read_frame(data.frame if isinstance(data, FrameBytes) else None)
        image = Image.fromarray(values.pixels(rule))
        misfit = values.misfit(rule)
        yield image, FileHeader(dataset.width, dataset.height, dataset.mode, "DICOM", misfit, dataset.n_frames)


@contextmanager
def _upright_image(
    data: bytes, rule: PixelRule, one_large: AbstractContextManager
) -> Iterator[tuple[Image.Image, FileHeader]]:
    def reopen() -> Image.Image:
        return Image.open(io.BytesIO(data), formats=FORMATS)

    with reopen() as image:
        check_header(image)
        width, height = image.size
        mode, file_format = image.mode, image.format or ""
        image.draft(None, (DRAFT, DRAFT))
        large = image.width * image.height > LARGE
        with one_large if large else nullcontext():
            image, turn, misfit = _converted(image, rule, reopen)
            if turn in TURNS:
                image = image.transpose(TURNS[turn])
            if turn in (5, 6, 7, 8):
                width, height = height, width
            yield image, FileHeader(width, height, mode, file_format, misfit)


def _converted(image: Image.Image, rule: PixelRule, reopen: Callable[[], Image.Image]) -> tuple[Image.Image, int, str]:
    """Return an opened image as RGB, EXIF's orientation, and the misfit."""
    is_colour_16 = colour_16(image) is not None
    if rule.intensity is not None and is_deep(image):
        values = read_deep(image, reopen)
        return Image.fromarray(values.pixels(rule)), orientation(image), values.misfit(rule)
    image.load()
    misfit = without_rule(image, is_colour_16) if rule.intensity is None else shown_as_is(rule)
    return to_rgb(image), orientation(image), misfit


def shown_as_is(rule: PixelRule) -> str:
    """Return the misfit of 8 bits where a rule is for more."""
    return "" if rule.intensity == "file" else f"holds 8 bits, shown as they are; the others have {rule.words}"


def without_rule(image: Image.Image, is_colour_16: bool) -> str:
    """Return why values of more than 8 bits are not shown well by the default, or ""; `image` is decoded."""
    todo = "set read.intensity"
    if is_colour_16:
        extrema: Any = image.getextrema()  # a pair for each band, as there are several
        top = max(high for _, high in extrema[:3])  # without transparency
        return f"holds 16-bit colours that are nearly black, up to {256 * top + 255} of 65535: {todo}" * (top < 64)
    if image.mode != "F" and image.mode != "I" and not image.mode.startswith("I;16"):
        return ""
    if getattr(image, "tag_v2", {}).get(PHOTOMETRIC) == MIN_IS_WHITE:
        return f"stores white as its lowest value, and is shown as a negative: {todo}"
    ends = [(float(band.min()), float(band.max())) for band in (_numbers(part) for _, part in bands(image))]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    shown = f"holds values from {low:g} to {high:g}"
    if image.mode == "F":
        return f"{shown}, stretched by its own maximum: {todo}" if high > 1 or low < 0 else ""
    if low < 0 or high > 65535:
        return f"{shown}, of which only 0 to 65535 are shown: {todo}"
    return f"{shown}, which are nearly black of 65535: {todo}" if 0 < high < DARK else ""


def read_header(path: Path) -> tuple[int, int, str, str]:
    """Return width and height (px, as stored), mode and format of an image file, of which no pixel is decoded.

    Raises DataError for what `decode` would refuse by the header alone, OSError for a file that cannot be opened.
    """
    with path.open("rb") as file:
        start = file.read(HEAD)
        refuse_other_formats(start)
        if is_dicom(start):
            from pipeline.data.images import dicom

            with explained(start):
                dataset = dicom.parse_header(file)
            return dataset.width, dataset.height, dataset.mode, "DICOM"
        with explained(start), Image.open(file, formats=FORMATS) as image:
            check_header(image)
            return image.width, image.height, image.mode, image.format or ""


def check_header(image: Image.Image) -> None:
    """Raise DataError unless an opened file holds one image within the limits of size."""
    n_frames = getattr(image, "n_frames", 1)
    if n_frames > 1 and image.format != "MPO":  # MPO: a phone's JPEG with a preview behind it
        raise DataError(f"has {n_frames} frames; export one frame as an image of its own")
    check_size(*image.size)
    tags = getattr(image, "tag_v2", {})
    if tags.get(PLANAR) == SEPARATE and max(tags.get(BITS, (8,))) > 8:
        raise DataError(
            "is a TIFF of more than 8 bits whose colours lie in separate planes, which is not read; save it as PNG"
        )
    if 2 in tags.get(SAMPLE_FORMAT, ()) and max(tags.get(BITS, (8,))) <= 8:  # Pillow takes -1 for 255
        raise DataError("is a TIFF of signed 8-bit values, which are not read; save it with 16 bits")


def orientation(image: Image.Image) -> int:
    """Return EXIF's orientation; 1, upright, where there is none or the block is damaged: the pixels are still whole.

    Not `ImageOps.exif_transpose`: that writes the block anew, and fails for any damaged tag in it.
    """
    try:
        return image.getexif().get(0x0112, 1)
    except Exception:  # a damaged block raises all kinds of errors
        return 1


def to_rgb(image: Image.Image) -> Image.Image:
    """Return `image` as RGB: 16-bit and float greys scaled to 0..255, transparency laid over black."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        # Pillow opens 16-bit PNG as "I" in some versions; floats are taken as 0..1 unless they exceed it.
        top = 65535 if image.mode != "F" else max(1.0, *(float(_numbers(band).max()) for _, band in bands(image)))
        return _in_bands(
            image, lambda band: Image.fromarray(np.round((_numbers(band) / top).clip(0, 1) * 255).astype(np.uint8))
        )
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        return _in_bands(image, _over_black)
    return image if image.mode == "RGB" else image.convert("RGB")


def _numbers(image: Image.Image) -> np.ndarray:
    """Return a grey image as float64. NaN and infinity become black, as transparent pixels do."""
    return np.nan_to_num(np.asarray(image).astype(np.float64), nan=0, posinf=0, neginf=0)


def _over_black(image: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)


def _in_bands(image: Image.Image, convert: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """Return `convert(image)` as RGB, made band by band: of 50 megapixels at 16 bits at once it takes 1.2 GB."""
    out = Image.new("RGB", image.size)
    for top, band in bands(image):
        out.paste(convert(band).convert("RGB"), (0, top))
    return out


def bands(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Yield (first row, rows) of bands of about BAND pixels."""
    rows = max(1, BAND // image.width)
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))
