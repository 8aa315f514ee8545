"""Image files on disk: their bytes, and the facts that samples.csv lists."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.data.images import DecodedImage

MAX_BYTES = 450_000_000  # 50 megapixels of four 16-bit channels are 400 MB


def read(path: Path) -> bytes:
    """Return a file's bytes; raise DataError if it is not a regular file, too large or cannot be opened."""
    try:
        if path.exists() and not path.is_file():
            raise DataError("is not a regular file")  # a pipe would never end
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"is over {MAX_BYTES // 1_000_000} MB, larger than any accepted image")
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be opened ({error.strerror})") from None


@dataclass(frozen=True)
class FileFacts:
    """Columns of samples.csv that a file gives; `error` says why it cannot be used, and what is unknown then is None.

    `id`: of the pixels, see `images.DecodedImage.id`, or of the bytes where they cannot be decoded; `width`, `height` in px.
    """

    error: str = ""
    id: str | None = None
    bytes: int | None = None
    width: int | None = None
    height: int | None = None
    mode: str | None = None
    format: str | None = None

    @classmethod
    def of(cls, image: DecodedImage, n_bytes: int) -> "FileFacts":
        """Return the facts of a decoded file."""
        return cls("", image.id, n_bytes, image.width, image.height, image.mode, image.format)
