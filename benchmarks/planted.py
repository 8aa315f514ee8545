"""Copies of images, altered as people and programs alter them: what the audit's recall is measured on.

    python -m benchmarks.planted FOLDER

draws a few lesions to FOLDER/train/ and altered copies of them to FOLDER/test/: the example of docs/audit.md.
"""

import io
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.core import artifacts
from pipeline.data.synthetic import demo_set


def compress(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the image after JPEG at quality 40."""
    return Image.open(io.BytesIO(jpeg(image, 40)))


def halve(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the image at half its size."""
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC)


def squeeze(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the image with its width or its height divided by 1.4."""
    width, height = image.size
    size = (round(width / 1.4), height) if rng.random() < 0.5 else (width, round(height / 1.4))
    return image.resize(size, Image.Resampling.BICUBIC)


def crop(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return a window of nine tenths of the width and of the height."""
    width, height = round(image.width * 0.9), round(image.height * 0.9)
    left, top = rng.integers(image.width - width + 1), rng.integers(image.height - height + 1)
    return image.crop((left, top, left + width, top + height))


def mirror(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the image with left and right exchanged."""
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def brighten(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the image a fifth brighter."""
    return image.point([min(255, round(level * 1.2)) for level in range(256)] * 3)


def turn(degrees: int) -> Callable[[Image.Image, np.random.Generator], Image.Image]:
    """Return a change that turns the image, in a larger black frame or in a frame of its own size, each half the time."""

    def rotated(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        return image.rotate(degrees, Image.Resampling.BICUBIC, expand=bool(rng.random() < 0.5))

    return rotated


CHANGES = {
    "quality 40": compress,
    "half size": halve,
    "stretched by 1.4": squeeze,
    "cropped by 10 %": crop,
    "rotated by 17": turn(17),
    "rotated by 90": turn(90),
    "rotated by 133": turn(133),
    "mirrored": mirror,
    "20 % brighter": brighten,
}
PAIRS = [pair for pair in combinations(CHANGES, 2) if not all(name.startswith("rotated") for name in pair)]
KINDS = [*((name,) for name in CHANGES), *PAIRS]


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    """Return the image as the bytes of a JPEG."""
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=quality)
    return file.getvalue()


def alter(image: Image.Image, kind: tuple[str, ...], rng: np.random.Generator) -> Image.Image:
    """Return an RGB image after the changes of a kind, in an order of chance."""
    for name in rng.permutation(list(kind)):
        image = CHANGES[str(name)](image, rng).convert("RGB")
    return image


def plant(paths: list[Path], folder: Path, each: int, seed: int) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Write `each` copies of every kind to `folder`, pairs of changes in either order, and the originals next to them.

    Returns {name of the copy: (name of its original, kind)}; originals bear their own names.
    """
    rng = np.random.default_rng(seed)
    for path in paths:
        artifacts.write_bytes(folder / path.name, path.read_bytes())
    made = {}
    for kind in KINDS:
        for number in range(each):
            path = paths[rng.integers(len(paths))]
            image = alter(Image.open(path).convert("RGB"), kind, rng)
            copy = f"copy_{'_'.join(kind).replace(' ', '-').replace('%', 'pc')}_{number}.jpg"
            artifacts.write_bytes(folder / copy, jpeg(image))
            made[copy] = (path.name, kind)
    return made


EXAMPLE = [
    ("half size",),
    ("stretched by 1.4",),
    ("cropped by 10 %",),
    ("mirrored",),
    ("rotated by 17",),
    ("rotated by 133", "mirrored"),
    ("quality 40", "rotated by 90"),
    ("20 % brighter", "cropped by 10 %"),
]


def main(folder: Path) -> None:
    """Draw a lesion for each kind of EXAMPLE, and its copy, the last one under the other label; and four that are clean."""
    rng = np.random.default_rng(0)
    for number in range(len(EXAMPLE) + 4):
        photo = demo_set.lesion_photos(11, number)[0]
        artifacts.write_bytes(folder / "train" / photo.label / f"{number}.jpg", photo.data)
        if number < len(EXAMPLE):
            label = demo_set.relabelled(photo).label if number == len(EXAMPLE) - 1 else photo.label
            image = alter(Image.open(io.BytesIO(photo.data)).convert("RGB"), EXAMPLE[number], rng)
            artifacts.write_bytes(folder / "test" / label / f"{100 + number}.jpg", jpeg(image))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
