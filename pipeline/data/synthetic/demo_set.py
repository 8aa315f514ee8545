"""The two embedded data sets: a drawn image task with planted flaws, and the Wisconsin diagnostic table."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from PIL import Image

from pipeline.core.parallel import run_parallel
from pipeline.data.synthetic.lesion import draw_lesion
from pipeline.data.synthetic.photo import photograph

PHOTOS = (1, 1, 1, 2, 2, 3)  # of one lesion, each as likely
CLASSES = ("benign", "malignant")
MALIGNANT = 0.4  # share of the lesions
SEPARATION = 2.8  # between the classes' mean latent scores, in standard deviations: they overlap, as in life
MEASURED = (
    *("radius", "texture", "perimeter", "area", "smoothness"),
    *("compactness", "concavity", "concave points", "symmetry", "fractal dimension"),
)
SITES = ("abdomen", "arm", "back", "chest", "face", "leg", "neck")


@dataclass(frozen=True)
class Photo:
    """One row of labels.csv and its file: `lesion` is a number, `data` the file's bytes, `suffix` their format."""

    lesion: int
    label: str
    age: int
    sex: str
    site: str
    suffix: str
    data: bytes


@dataclass(frozen=True)
class Flaw:
    """A planted flaw: the file `copy` (a position or path) is a `kind` of the file `of`."""

    kind: str
    copy: int | str
    of: int | str


def breast_table() -> pd.DataFrame:
    """Return the Wisconsin table: 569 rows, 30 columns of measurements, and `diagnosis`: benign or malignant.

    Its file is part of scikit-learn, whose import, with SciPy's, would take longer than reading it.
    """
    file = Path(cast(str, cast(ModuleSpec, find_spec("sklearn")).origin)).parent / "datasets/data/breast_cancer.csv"
    columns = [way.format(name) for way in ("mean {}", "{} error", "worst {}") for name in MEASURED]
    table = pd.read_csv(
        file, names=[*columns, "diagnosis"], skiprows=1
    )  # the first line has numbers of rows and classes
    return table.assign(diagnosis=np.array(["malignant", "benign"])[table["diagnosis"]])


def lesion_photos(seed: int, index: int) -> list[Photo]:
    """Return the photos of lesion `index`. Each lesion has a generator of its own, so the order of work is free."""
    rng = np.random.default_rng([seed, index])
    label = int(rng.random() < MALIGNANT)
    score = rng.normal() + SEPARATION * (label - 0.5)
    age = int(np.clip(rng.normal(46 + 6 * label, 15), 18, 90))
    sex, site = str(rng.choice(["female", "male"])), str(rng.choice(SITES))
    patch = draw_lesion(rng, malignancy=1 / (1 + np.exp(-score)))
    photos = []
    for _ in range(rng.choice(PHOTOS)):
        suffix = ".png" if rng.random() < 0.08 else ".jpg"
        data = encode(photograph(rng, patch), suffix, quality=int(rng.integers(86, 95)))
        photos.append(Photo(index, CLASSES[label], age, sex, site, suffix, data))
    return photos


def encode(pixels: np.ndarray, suffix: str, quality: int = 90) -> bytes:
    """Return uint8 RGB (height, width, 3) as the bytes of a PNG or, with `quality`, a JPEG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG" if suffix == ".png" else "JPEG", quality=quality)
    return file.getvalue()


def again(photo: Photo, suffix: str = ".jpg", quality: int = 90, scale: tuple[float, float] = (1, 1)) -> Photo:
    """Return `photo` decoded and encoded again, with width and height times `scale`."""
    image: Image.Image = Image.open(io.BytesIO(photo.data))
    size = round(image.width * scale[0]), round(image.height * scale[1])
    image = image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)
    return replace(photo, suffix=suffix, data=encode(np.asarray(image), suffix, quality))


def relabelled(photo: Photo) -> Photo:
    """Return `photo` under the other label."""
    return replace(photo, label=CLASSES[1 - CLASSES.index(photo.label)])


# Each kind of copy in the demo set, how it is made, and how many there are.
COPIES: dict[str, tuple[Callable[[Photo], Photo], int]] = {
    "byte copy": (lambda photo: photo, 3),
    "recompressed": (partial(again, quality=60), 2),
    "png": (partial(again, suffix=".png"), 1),
    "resized": (partial(again, scale=(0.75, 0.75)), 2),
    "stretched": (partial(again, scale=(0.8, 1.1)), 1),
    "relabelled": (relabelled, 1),
}


def plant_flaws(photos: list[Photo], rng: np.random.Generator) -> tuple[list[Photo], list[Flaw]]:
    """Return `photos` with the COPIES appended and one file cut short, and what was done, by position.

    Every copy gets a lesion number of its own, so that only the pixels tell that two files show the same lesion. The
    file cut short (kind "truncated", of itself) is one of several of its lesion, which so stays in the set.
    """
    photos, flaws = list(photos), []
    n_lesions = 1 + max(photo.lesion for photo in photos)
    numbers = [photo.lesion for photo in photos]
    jpegs = [i for i, photo in enumerate(photos) if photo.suffix == ".jpg"]
    several = [i for i in jpegs if numbers.count(numbers[i]) > 1]
    broken = int(rng.choice(several))
    one_each = {numbers[i]: i for i in jpegs if numbers[i] != numbers[broken]}
    sources = iter(rng.permutation(list(one_each.values())).tolist())
    for kind, (make, count) in COPIES.items():
        for _ in range(count):
            source = next(sources)
            flaws.append(Flaw(kind, len(photos), source))
            photos.append(replace(make(photos[source]), lesion=n_lesions + len(flaws) - 1))
    data = photos[broken].data
    photos[broken] = replace(photos[broken], data=data[: len(data) * 6 // 10])
    return photos, [*flaws, Flaw("truncated", broken, broken)]


def lesion_set(seed: int, n_lesions: int, workers: int) -> tuple[pd.DataFrame, dict[str, bytes], list[Flaw]]:
    """Return labels.csv as a table sorted by path, the files {path: bytes}, and the planted flaws, by path.

    Numbers in names and lesion ids are drawn at random: what was drawn or copied when cannot be read from them.
    """
    drawn = run_parallel(partial(lesion_photos, seed), range(n_lesions), workers)
    rng = np.random.default_rng([seed, n_lesions])
    photos, flaws = plant_flaws([photo for photos in drawn for photo in photos], rng)
    numbers = rng.permutation(len(photos)) + 1
    paths = [f"images/img_{number:04d}{photo.suffix}" for number, photo in zip(numbers, photos, strict=True)]
    ids = rng.permutation(1 + max(photo.lesion for photo in photos)) + 1
    rows = [
        (path, photo.label, f"L{ids[photo.lesion]:04d}", photo.age, photo.sex, photo.site)
        for path, photo in zip(paths, photos, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["path", "label", "lesion", "age", "sex", "site"])
    files = {path: photo.data for path, photo in zip(paths, photos, strict=True)}
    named = [Flaw(flaw.kind, paths[int(flaw.copy)], paths[int(flaw.of)]) for flaw in flaws]
    return table.sort_values("path", ignore_index=True), files, named
