"""Image files on disk: their bytes, the facts that samples.csv lists, and a cache of what is computed from them."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.core import artifacts
from pipeline.core.errors import DataError
from pipeline.core.feature_cache import FeatureStore, make_recipe
from pipeline.data.images.decoding import DecodedImage
from pipeline.data.images.dicom_files import FrameBytes, split_frame
from pipeline.data.images.pixel_rule import PixelRule

# They decide pixels: with another version the cache starts anew.
PACKAGES = ("numpy", "pillow", "pydicom", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg")
MAX_BYTES = 450_000_000  # 50 megapixels of four 16-bit channels are 400 MB


def read(path: Path) -> bytes:
    """Return a file's bytes; raise DataError if it is not a regular file, too large or cannot be opened.

    Of scan.dcm#3, where there is no file of that name, these are the bytes of scan.dcm with the number of a frame.
    """
    file, named = on_disk(path), split_frame(str(path))
    if file == path or named is None:
        return read_bytes(path)
    status = file.stat() if file.is_file() else None
    return FrameBytes.of(_read_again(named[0], status and (status.st_mtime_ns, status.st_size)), named[1])


def on_disk(path: Path) -> Path:
    """Return the file that holds a frame such as scan.dcm#3; other paths are returned as they are."""
    named = split_frame(path.name)
    return path if named is None or path.exists() else path.with_name(named[0])


@lru_cache(maxsize=1)
def _read_again(path: str, _: tuple | None) -> bytes:
    return read_bytes(Path(path))  # the frames of a file follow each other


def key_of(data: bytes) -> str:
    """Return the key under which what is computed from a file is cached: the SHA-256 of its bytes, and the frame."""
    key = artifacts.sha256(data)
    return f"{key}#{data.frame}" if isinstance(data, FrameBytes) else key


class ImageStore(FeatureStore):
    """A cache of values computed from images that are decoded by a rule, which is a part of every key."""

    def __init__(self, name: str, rule: PixelRule, recipe: str):
        super().__init__(name, recipe)
        self.rule = rule

    @classmethod
    def open(cls, name: str, rule: PixelRule, *parts: Path, packages: tuple[str, ...]) -> "ImageStore":
        """Return the cache of what this code, or the files `parts`, and the decoder compute."""
        code = (*parts, *sorted(Path(__file__).parent.glob("*.py")))
        recipe = make_recipe(json.dumps(rule.to_json()), *code, packages=(*PACKAGES, *packages))
        return cls(name, rule, recipe)

    def __reduce__(self) -> tuple[type["ImageStore"], tuple[Any, ...]]:
        return ImageStore, (self.name, self.rule, self.recipe)


def read_bytes(path: Path) -> bytes:
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

    `id`: of the pixels, see `DecodedImage.id`, or of the bytes where they cannot be decoded; `width`, `height` in px.
    `misfit`, which is no column, says why the values do not look like those that the data set's rule is for.
    """

    error: str = ""
    id: str | None = None
    bytes: int | None = None
    width: int | None = None
    height: int | None = None
    mode: str | None = None
    format: str | None = None
    misfit: str = ""

    @classmethod
    def of(cls, image: DecodedImage, n_bytes: int) -> "FileFacts":
        """Return the facts of a decoded file."""
        return cls("", image.id, n_bytes, image.width, image.height, image.mode, image.format, image.misfit)
