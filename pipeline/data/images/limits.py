"""What is accepted as an image, and the errors for what is not."""

from collections.abc import Iterator
from contextlib import contextmanager

from PIL import UnidentifiedImageError

from pipeline.core.errors import DataError

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")  # of Pillow; DICOM in addition
DICOM_SUFFIXES = (".dcm", ".dicom", ".dic", ".ima")  # or none, or a number
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", *DICOM_SUFFIXES)
MIN_SIDE = 16  # px
MAX_PIXELS = 50_000_000
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
HEAD = 352  # bytes from a file's start that tell what it is: NIfTI's sign is the last, at 344
NIFTI = "a NIfTI volume: export its slices as PNG first, for instance with nibabel"
# The bytes at an offset in the file, and what to do with such a file.
EXPORT_HINTS = {
    (344, b"n+1\0"): NIFTI,
    (344, b"ni1\0"): NIFTI,
    (4, b"n+2\0"): NIFTI,
    (4, b"ni2\0"): NIFTI,
    (0, b"\x1f\x8b"): "a gzip file: unpack it; if it is " + NIFTI,
}


def refuse_other_formats(start: bytes) -> None:
    """Raise DataError for an empty file and for medical formats that are not read, by the first HEAD bytes of a file."""
    if not start:
        raise DataError("not a readable image (0 bytes)")
    for (offset, magic), hint in EXPORT_HINTS.items():
        if start.startswith(magic, offset):
            raise DataError(hint)


@contextmanager
def explained(start: bytes) -> Iterator[None]:
    """Convert whatever a decoder raises into a DataError that says what is wrong with the file; `start`: its first bytes."""
    try:
        yield
    except DataError:
        raise
    except UnidentifiedImageError:
        if start.startswith(TIFF):
            raise DataError(
                "is a TIFF whose kind of numbers is not read (such as floats of 16 or 64 bits) or that is damaged; save it with "
                "8 or 16 bits, or as 32-bit floats"
            ) from None
        raise DataError(f"not a readable image; expected one of {', '.join(FORMATS)}, DICOM") from None
    except Exception as error:  # decoders raise all kinds of errors for damaged files
        text = " ".join(str(error).split())  # pydicom's list several decoders on lines of their own
        raise DataError(f"not a readable image ({type(error).__name__}: {text})") from None


def check_size(width: int, height: int) -> None:
    """Raise DataError unless an image, in px, is within the limits."""
    if min(width, height) < MIN_SIDE:
        raise DataError(f"is {width}x{height} px; at least {MIN_SIDE} px on each side are needed")
    if width * height > MAX_PIXELS:
        raise DataError(f"is {width}x{height} px, over {MAX_PIXELS // 1_000_000} megapixels; scale it down")
