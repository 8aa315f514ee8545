"""Decode images and compute their classical features. All images of training and serving are decoded here.

Accepted: JPEG, PNG, BMP, TIFF, WebP with one frame, from 16 px on a side to 50 megapixels. EXIF orientation is applied;
palette, grey, 1-bit, CMYK and 16-bit images are converted to RGB; transparency is laid over black.
"""

import hashlib
import io
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from pipeline.core.errors import DataError

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
SIZE = 224  # px, width and height of what a model sees
MIN_SIDE = 16  # px
MAX_PIXELS = 50_000_000
LARGE = 8_000_000  # px, of which a server decodes one image at a time
BAND = 1_000_000  # px that are converted at once
HEAD = 352  # bytes from a file's start that tell what it is: NIfTI's sign is the last, at 344
DRAFT = 2 * SIZE  # px: a JPEG is decoded at the smallest scale not under this: 3000x2000 in 14 ms instead of 44
# A truncated file must raise: half an image must not pass for the whole.
ImageFile.LOAD_TRUNCATED_IMAGES = False
# The limit is ours (MAX_PIXELS, checked before a pixel is decoded), with an error that says what to do.
Image.MAX_IMAGE_PIXELS = None
# A damaged EXIF block does not make the pixels unreadable. Set once: `warnings.catch_warnings` is not safe with threads.
warnings.filterwarnings("ignore", module=r"PIL\.")
_one_large = threading.Lock()
NIFTI = "a NIfTI volume: export its slices as PNG first, for instance with nibabel"
# The bytes at an offset in the file, and what to do with such a file.
EXPORT_HINTS = {
    (128, b"DICM"): "a DICOM file: export it first, for instance with 'dcmj2pnm +on file.dcm file.png'",
    (344, b"n+1\0"): NIFTI,
    (344, b"ni1\0"): NIFTI,
    (4, b"n+2\0"): NIFTI,
    (4, b"ni2\0"): NIFTI,
    (0, b"\x1f\x8b"): "a gzip file: unpack it; if it is " + NIFTI,
}
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # by the value of EXIF's tag Orientation


@dataclass(frozen=True)
class DecodedImage:
    """A decoded image. `pixels`: uint8 RGB (height, width, 3); `width`, `height`: as stored, in px, EXIF applied."""

    pixels: np.ndarray
    width: int
    height: int
    mode: str
    format: str

    @property
    def id(self) -> str:
        """16 hex digits of the SHA-256 of the decoded RGB pixels and their size: the same for any lossless copy."""
        height, width, _ = self.pixels.shape
        digest = hashlib.sha256(f"{width}x{height}:".encode())
        digest.update(np.ascontiguousarray(self.pixels))
        return digest.hexdigest()[:16]


def decode(data: bytes) -> DecodedImage:
    """Decode the bytes of one image file.

    Raises DataError, with the reason and what to do, for anything that is not one whole image within the limits.
    """
    with upright(data) as (image, stored):
        return DecodedImage(np.asarray(image), *stored)


def square(data: bytes) -> np.ndarray:
    """Return the model's input for an image file: `resize(decode(data).pixels)`, without the intermediate copies.

    Large images are decoded one at a time, whatever the number of threads: one of 50 megapixels takes up to 400 MB.
    """
    with upright(data, _one_large) as (image, _):
        return _resized(image, SIZE)


@contextmanager
def upright(data: bytes, one_large: AbstractContextManager | None = None) -> Iterator[tuple[Image.Image, tuple]]:
    """Yield a decoded image as RGB, rotated as EXIF says, and its width, height, mode and format as stored.

    `one_large` is held while the pixels of a large image are in memory. Raises DataError as `decode` does.
    """
    refuse_other_formats(data[:HEAD])
    with explained(), Image.open(io.BytesIO(data), formats=FORMATS) as image:
        check_header(image)
        width, height = image.size
        mode, file_format = image.mode, image.format
        image.draft(None, (DRAFT, DRAFT))
        large = image.width * image.height > LARGE
        with one_large if one_large and large else nullcontext():
            image.load()
            turn = orientation(image)
            image = to_rgb(image)
            if turn in TURNS:
                image = image.transpose(TURNS[turn])
            if turn in (5, 6, 7, 8):
                width, height = height, width
            yield image, (width, height, mode, file_format)


def read_header(path: Path) -> tuple[int, int, str, str]:
    """Return width and height (px, as stored), mode and format of an image file, of which no pixel is decoded.

    Raises DataError for what `decode` would refuse by the header alone, OSError for a file that cannot be opened.
    """
    with path.open("rb") as file:
        refuse_other_formats(file.read(HEAD))
        with explained(), Image.open(file, formats=FORMATS) as image:
            check_header(image)
            return image.width, image.height, image.mode, image.format


def refuse_other_formats(start: bytes) -> None:
    """Raise DataError for an empty file and for medical formats, by the first HEAD bytes of a file."""
    if not start:
        raise DataError("not a readable image (0 bytes)")
    for (offset, magic), hint in EXPORT_HINTS.items():
        if start.startswith(magic, offset):
            raise DataError(hint)


@contextmanager
def explained() -> Iterator[None]:
    """Convert whatever a decoder raises into a DataError that says what is wrong with the file."""
    try:
        yield
    except DataError:
        raise
    except UnidentifiedImageError:
        raise DataError(f"not a readable image; expected one of {', '.join(FORMATS)}") from None
    except Exception as error:  # decoders raise all kinds of errors for damaged files
        raise DataError(f"not a readable image ({type(error).__name__}: {error})") from None


def check_header(image: Image.Image) -> None:
    """Raise DataError unless an opened file holds one image within the limits of size."""
    width, height = image.size
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":  # MPO: a phone's JPEG with a preview behind it
        raise DataError(f"has {image.n_frames} frames; export one frame as an image of its own")
    if min(width, height) < MIN_SIDE:
        raise DataError(f"is {width}x{height} px; at least {MIN_SIDE} px on each side are needed")
    if width * height > MAX_PIXELS:
        raise DataError(f"is {width}x{height} px, over {MAX_PIXELS // 1_000_000} megapixels; scale it down")


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


def to_png(pixels: np.ndarray) -> bytes:
    """Return uint8 RGB (height, width, 3) as a PNG that holds nothing but these pixels: equal ones give equal bytes."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def resize(pixels: np.ndarray, size: int = SIZE) -> np.ndarray:
    """Return uint8 RGB (height, width, 3) stretched to (size, size, 3): bilinear, antialiased when shrinking."""
    return _resized(Image.fromarray(pixels), size)


def _resized(image: Image.Image, size: int) -> np.ndarray:
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=2.0))


def classical(square: np.ndarray) -> np.ndarray:
    """Return (320,) float32 in 0..1 of a (SIZE, SIZE, 3) image: a 4x4x4 colour histogram, then 16x16 grey values."""
    bins = square >> 6
    colour = (
        bins[..., 0] * 16 + bins[..., 1] * 4 + bins[..., 2]
    )  # uint8 over the whole image: half the time of pixel by pixel
    histogram = np.bincount(colour.ravel(), minlength=64) / colour.size
    grey = np.asarray(Image.fromarray(square).convert("L").resize((16, 16), Image.Resampling.BOX)) / 255
    return np.concatenate([histogram, grey.ravel()]).astype(np.float32)


def sample_images() -> list[np.ndarray]:
    """Return four drawn uint8 RGB (SIZE, SIZE, 3) images: inputs for self-tests that belong to no patient."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / (SIZE - 1)
    disc = (np.hypot(x - 0.5, y - 0.5) < 0.3).astype(float)
    drawn = [
        np.stack([0.9 - 0.4 * disc, 0.7 - 0.4 * disc, 0.6 - 0.3 * disc], axis=-1),
        np.stack([x, y, 1 - x], axis=-1),
        np.stack([(np.sin(40 * x) + 1) / 2] * 3, axis=-1),
        np.full((SIZE, SIZE, 3), 0.5),
    ]
    return [np.round(image * 255).astype(np.uint8) for image in drawn]
