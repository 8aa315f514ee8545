"""MedMNIST's .npz files: arrays {train,val,test}_images and _labels become PNG files in folders split/class.

An array is read row by row, so memory does not grow with the file.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from pipeline.core.errors import DataError
from pipeline.data.images.limits import MAX_PIXELS
from pipeline.data.images.squares import to_png

SPLITS = {"train": "train", "val": "valid", "test": "test"}
EXPECTED = "expected MedMNIST's arrays train_images, train_labels, val_images, val_labels, test_images and test_labels"
MOST_LABELS = 10_000_000


def unpack(archive: zipfile.ZipFile, path: Path, folder: Path) -> None:
    """Write the images of a .npz as `folder`/<split>/<class>/<number>.png.

    Raises DataError for other arrays, volumes, several labels an image, and images that are not uint8.
    """
    members = {name.removesuffix(".npy") for name in archive.namelist()}
    splits = [split for split in SPLITS if f"{split}_images" in members and f"{split}_labels" in members]
    if not splits:
        raise DataError(f"{path.as_posix()}: holds {', '.join(sorted(members)[:6]) or 'nothing'}; {EXPECTED}")
    for split in splits:
        labels = read_labels(archive, f"{split}_labels", path)
        with rows(archive, f"{split}_images", path) as (shape, images):
            if shape[0] != len(labels):
                raise DataError(
                    f"{path.as_posix()}: {split}_images holds {shape[0]} images, {split}_labels {len(labels)} labels; "
                    "expected as many"
                )
            width = len(str(len(labels)))
            for number, (label, image) in enumerate(zip(labels, images, strict=True)):
                target = folder / SPLITS[split] / label / f"{number:0{width}d}.png"
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(to_png(image))


def read_labels(archive: zipfile.ZipFile, name: str, path: Path) -> list[str]:
    """Return one label an image as text; raise DataError where there are several."""
    with archive.open(f"{name}.npy") as file:
        shape, dtype = header(file, name, path)
        n_values = int(np.prod(shape, dtype=np.int64))
        if dtype.kind not in "iub" or not 1 <= len(shape) <= 2 or n_values > MOST_LABELS:
            raise DataError(f"{path.as_posix()}: {name}: found {dtype} {shape}; expected whole numbers, one an image")
        values = np.frombuffer(exactly(file, n_values * dtype.itemsize, name, path), dtype)
        if len(shape) == 2 and shape[1] != 1:
            values = values.reshape(shape)
            if (values >= 0).all() and (values.sum(axis=1) == 1).all():  # one-hot
                return [str(label) for label in values.argmax(axis=1)]
            raise DataError(
                f"{path.as_posix()}: is multi-label: {name} has {shape[1]} labels an image; one label a sample is expected. "
                "Write the images and the label that is meant into class folders"
            )
    return [str(int(value)) for value in values]


@contextmanager
def rows(archive: zipfile.ZipFile, name: str, path: Path) -> Iterator[tuple[tuple[int, ...], Iterator[np.ndarray]]]:
    """Yield the shape of an array of images and an iterator over them, uint8 (height, width) or (height, width, 3)."""
    with archive.open(f"{name}.npy") as file:
        shape, dtype = header(file, name, path)
        is_grey, is_rgb = len(shape) == 3, len(shape) == 4 and shape[3] in (1, 3)
        if len(shape) == 4 and not is_rgb:
            raise DataError(f"{path.as_posix()}: {name} holds volumes {shape[1:]}; export their slices as images first")
        remedy = (
            ""
            if dtype == np.uint8
            else ". Scale the values to 0..255, round them, and save them with astype(numpy.uint8)"
        )
        if dtype != np.uint8 or not (is_grey or is_rgb) or min(shape) == 0 or shape[1] * shape[2] > MAX_PIXELS:
            raise DataError(
                f"{path.as_posix()}: {name}: found {dtype} {shape}; expected uint8 (n, height, width[, 3]){remedy}"
            )
        size = int(np.prod(shape[1:], dtype=np.int64))
        image_shape = shape[1:3] if shape[-1] == 1 else shape[1:]
        yield (
            shape,
            (np.frombuffer(exactly(file, size, name, path), np.uint8).reshape(image_shape) for _ in range(shape[0])),
        )


def header(file: IO[bytes], name: str, path: Path) -> tuple[tuple[int, ...], np.dtype]:
    """Return shape and dtype of a .npy file and leave it at the first value."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, is_fortran, dtype = read(file)
    if is_fortran and len(shape) > 1:
        raise DataError(f"{path.as_posix()}: {name} is stored by columns; save it with numpy.ascontiguousarray")
    if dtype.hasobject:
        raise DataError(f"{path.as_posix()}: {name} holds Python objects, which may run code; expected numbers")
    return shape, dtype


def exactly(file: IO[bytes], n_bytes: int, name: str, path: Path) -> bytes:
    """Return the next bytes of a file; raise DataError where it ends before."""
    data = file.read(n_bytes)
    if len(data) < n_bytes:
        raise DataError(f"{path.as_posix()}: {name} ends too early; download it again")
    return data
