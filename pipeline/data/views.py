"""Views of development images: what other cameras and programs would have made of them.

They widen the reference of out-of-distribution scores (see `prediction.ood_images`) and count as samples nowhere: another
resolution, sharpness, compression, brightness or white balance, a border, a ruler or hair does not make an image one of another
kind. Whether a model answers such images rightly is for the external evaluation to say.
"""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from tqdm import tqdm

from pipeline.core.parallel import run_parallel
from pipeline.data import litert, uploads
from pipeline.data.feature_arrays import as_scanned
from pipeline.data.image_features import N_CLASSICAL, embedder
from pipeline.data.images import decoding, image_file, squares
from pipeline.data.images.image_file import ImageStore
from pipeline.data.images.pixel_rule import PixelRule
from pipeline.data.images.squares import SIZE

MOST = 1500  # of a data set: a reference of 16 directions needs no more, and each costs 10 to 20 ms
PER_IMAGE = 4
LEAST_SIDE = 36  # px: a quarter of the resolution of small dermoscopy
INK = (20, 20, 20)
FILTERS = (Image.Resampling.BILINEAR, Image.Resampling.LANCZOS, Image.Resampling.BOX)
Edit = Callable[[Image.Image, np.random.Generator], Image.Image]


def view(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the image, uint8 RGB (SIZE, SIZE, 3), as another camera would have taken and saved it."""
    image = Image.fromarray(square)
    for edit, probability in EDITS:
        if rng.random() < probability:
            image = edit(image, rng)
    return np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BILINEAR))


def resample(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return fewer pixels, log-uniform from LEAST_SIDE to SIZE on each side."""
    side = int(np.exp(rng.uniform(np.log(LEAST_SIDE), np.log(SIZE))))
    return image.resize((side, side), FILTERS[rng.integers(len(FILTERS))])


def blur_or_sharpen(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the image with softer or harder edges."""
    if rng.random() < 0.6:
        return image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.2) * 2 * image.width / SIZE))
    return image.filter(ImageFilter.UnsharpMask(rng.uniform(1, 3), int(rng.integers(50, 200)), 0))


def recolour(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the image in another light: each channel by a factor of its own, and all by one, together within 30 %."""
    gains = (rng.uniform(0.75, 1.25, 3) * rng.uniform(0.85, 1.15)).clip(0.7, 1.3)
    return Image.fromarray((np.asarray(image) * gains).clip(0, 255).astype(np.uint8))


def compress(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the image after JPEG of quality 30 to 95."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=int(rng.integers(30, 96)))
    return Image.open(file).convert("RGB")


def border(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the image in a black frame, or in the dark circle of an eyepiece."""
    if rng.random() < 0.5:
        margin = int(rng.uniform(0.04, 0.12) * image.width)
        framed = Image.new("RGB", image.size)
        inner = image.width - 2 * margin
        framed.paste(image.resize((inner, inner), Image.Resampling.BILINEAR), (margin, margin))
        return framed
    pixels, middle = np.array(image), (image.width - 1) / 2
    y, x = np.mgrid[: image.width, : image.width]
    pixels[np.hypot(x - middle, y - middle) > rng.uniform(0.5, 0.65) * image.width] = 0
    return Image.fromarray(pixels)


def ruler(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the image with the marks of a ruler at its lower edge."""
    drawn = image.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    pen, step = ImageDraw.Draw(drawn), rng.uniform(5, 16)
    for number, x in enumerate(np.arange(0, SIZE, step)):
        length = step * (2 if number % 5 == 0 else 1)
        pen.line([x, SIZE, x, SIZE - length], fill=INK, width=int(rng.integers(1, 3)))
    return drawn


def hair(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the image with dark curves across it."""
    fine = 3 * SIZE  # drawn large and reduced, because Pillow's lines have hard edges
    drawn = image.resize((fine, fine))
    pen, t = ImageDraw.Draw(drawn), np.linspace(0, 1, 24)[:, None]
    for _ in range(int(rng.integers(4, 20))):
        start, middle, end = rng.uniform(0, fine, (3, 2))
        curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
        colour = tuple(rng.integers(10, 70, 3).tolist())
        pen.line([tuple(point) for point in curve], fill=colour, width=int(rng.integers(2, 7)))
    return drawn.resize((SIZE, SIZE), Image.Resampling.BOX)


EDITS: tuple[tuple[Edit, float], ...] = (
    (resample, 0.75),
    (blur_or_sharpen, 0.5),
    (recolour, 1.0),
    (compress, 0.5),
    (border, 0.25),
    (ruler, 0.15),
    (hair, 0.25),
)


def plan(n: int) -> np.ndarray:
    """Return the row of each view among n images, int (m,): PER_IMAGE of each, together at most MOST."""
    return np.tile(np.arange(n), PER_IMAGE)[:MOST]


def compute(
    paths: np.ndarray, root: Path, program: Path, workers: int, rule: PixelRule, label: str
) -> dict[str, np.ndarray]:
    """Return the views of the images at `paths`: `view_row`, int (m,), the image of each, and the features `view_ood` and
    `view_classical`, float32 (m, n_features).

    Views of a file depend on its bytes and on nothing else, and are kept in the feature cache.
    """
    rows = plan(len(paths))
    counts = np.bincount(rows, minlength=len(paths)) if len(rows) else np.zeros(0, int)
    store = ImageStore.open("views", rule, program, Path(litert.__file__), Path(__file__), packages=("ai-edge-litert",))
    work = partial(of_file, root=root, program=program, store=store)
    items = [(str(path), int(n)) for path, n in zip(paths, counts, strict=True) if n]
    parts = list(tqdm(run_parallel(work, items, workers), label, total=len(items), unit=" images", delay=3))
    store.put([(key, features.tobytes()) for key, features, is_new in parts if is_new])
    features = np.concatenate([features for _, features, _ in parts])
    n_ood = features.shape[1] - N_CLASSICAL
    row = np.repeat(np.arange(len(paths)), counts)
    return {"view_row": row, "view_ood": features[:, :n_ood], "view_classical": features[:, n_ood:]}


def of_file(item: tuple[str, int], root: Path, program: Path, store: ImageStore) -> tuple[str, np.ndarray, bool]:
    """Return the key, the features of so many views of a file, float32 (n, n_ood + n_classical), and whether they are new."""
    path, n = item
    file = uploads.locate(root, path)
    with as_scanned(file):
        data = image_file.read(file)
        key = f"{image_file.key_of(data)}*{n}"
        if cached := store.get(key):
            return key, np.frombuffer(cached, np.float32).reshape(n, -1), False
        square = decoding.square(data, store.rule)
    rng = np.random.default_rng(int(key[:16], 16))
    views = [view(square, rng) for _ in range(n)]
    run = embedder(program).run
    features = [np.concatenate([run(seen, frozen_mean=True).frozen_mean, squares.classical(seen)]) for seen in views]
    return key, np.stack(features).astype(np.float32), True
