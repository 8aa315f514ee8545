"""Takes photos of drawn skin: each with a crop, turn, size and light of its own, some blurred, some with a ruler."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from pipeline.data.synthetic.lesion import PATCH, blend, hypot, smoothstep, to_uint8

INK = np.array([0.08, 0.08, 0.10])[:, None, None]
WIDTH = (200, 257)  # px: from, and up to but without
ASPECTS = (1.0, 4 / 3, 4 / 3, 3 / 2)  # width / height, each as likely
MARGIN = 70  # px of mirrored skin around a patch, for the corners of a photo that reach over it


def photograph(rng: np.random.Generator, patch: np.ndarray) -> np.ndarray:
    """Return one photo, uint8 RGB (height, width, 3), of a patch: some crop, turn, light, and at times a ruler."""
    width = int(rng.integers(*WIDTH))
    height = round(width / rng.choice(ASPECTS))
    turn, zoom = rng.uniform(0, 2 * np.pi), rng.uniform(1.2, 1.6)
    cos, sin = np.cos(turn) / zoom, np.sin(turn) / zoom
    x, y = MARGIN + PATCH / 2 + rng.normal(scale=9, size=2)
    x, y = x - (cos * width - sin * height) / 2, y - (sin * width + cos * height) / 2
    wide = Image.fromarray(np.pad(patch, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), mode="reflect"))
    affine = (cos, -sin, x, sin, cos, y)
    view = wide.transform((width, height), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR)
    if rng.random() < 0.25:
        view = view.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.0)))
    planes = light(rng, np.asarray(view).transpose(2, 0, 1) / 255)
    if rng.random() < 0.15:
        planes = draw_ruler(rng, planes)
    return to_uint8(planes + rng.normal(scale=rng.uniform(0.004, 0.012), size=(height, width)))


def light(rng: np.random.Generator, planes: np.ndarray) -> np.ndarray:
    """Return `planes` under some lamp: brightness, tint and slope, and the darker rim that a dermatoscope leaves."""
    _, height, width = planes.shape
    y, x = np.mgrid[0:height, 0:width]
    x, y = (x - width / 2) / width, (y - height / 2) / width
    distance = hypot(x - rng.normal(scale=0.02), y - rng.normal(scale=0.02))
    shade = (
        1
        + rng.normal(scale=0.12) * x
        + rng.normal(scale=0.12) * y
        - rng.uniform(0.1, 0.9) * distance * distance * distance
    )
    if rng.random() < 0.2:  # the round tube itself
        shade = shade * (0.04 + 0.96 * smoothstep((rng.uniform(0.47, 0.6) - distance) / 0.03))
    tint = rng.uniform(0.88, 1.12) * (1 + rng.normal(scale=0.045, size=(3, 1, 1)))
    return planes * (shade * tint)


def draw_ruler(rng: np.random.Generator, planes: np.ndarray) -> np.ndarray:
    """Return `planes` with the tick marks of a scale along one side."""
    _, height, width = planes.shape
    mask = Image.new("L", (2 * width, 2 * height))
    pen, spacing, first = ImageDraw.Draw(mask), rng.uniform(15, 30), rng.uniform(4, 40)
    base, upright = 2 * rng.uniform(4, 12), rng.random() < 0.5
    length = 2 * (height if upright else width)
    for number, start in enumerate(np.arange(first, length - 4, spacing)):
        reach = base + (24 if number % 5 == 0 else 13)
        pen.line((base, start, reach, start) if upright else (start, base, start, reach), fill=220, width=2)
    cover = np.asarray(mask.resize((width, height), Image.Resampling.BOX)) / 255
    return blend(planes, INK, cover[:: rng.choice([-1, 1])])
