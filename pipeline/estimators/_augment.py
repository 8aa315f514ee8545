"""Views of an image for a network that learns: versions of it whose class is the same, as the task's `augment:` says."""

import io

import numpy as np
from PIL import Image, ImageFilter

from pipeline.core.augment_params import AugmentParams
from pipeline.data.images.squares import SIZE

STANDARD = AugmentParams()
LINEAR = Image.Resampling.BILINEAR


def augment(image: np.ndarray, n_views: int, rng: np.random.Generator, how: AugmentParams = STANDARD) -> np.ndarray:
    """Return uint8 (n_views, side, side, 3): the image, and versions of it.

    A change that is left out draws no number, so that adding it later moves no other.
    """
    views = [image]
    while len(views) < n_views:
        changed = move(image, rng, how)
        changed = light(changed, rng, how)
        views.append(degrade(changed, rng, how))
    return np.stack(views)


def move(image: np.ndarray, rng: np.random.Generator, how: AugmentParams) -> np.ndarray:
    """Return the image flipped, rotated and scaled."""
    if how.quarter_turns:
        image = np.rot90(image, int(rng.integers(4)))
    if how.flips != "none" and rng.integers(2):
        image = image[:, ::-1]
    if (
        how.flips == "both" and not how.quarter_turns and rng.integers(2)
    ):  # with quarter turns these are all eight already
        image = image[::-1]
    if how.rotate or how.scale:
        angle, factor = np.radians(rng.uniform(-how.rotate, how.rotate)), rng.uniform(1 - how.scale, 1 + how.scale)
        middle = (image.shape[0] - 1) / 2
        c, s = np.cos(angle) / factor, np.sin(angle) / factor
        matrix = (c, s, middle - middle * (c + s), -s, c, middle - middle * (c - s))
        side = image.shape[0]
        # what comes into sight at the corners repeats the edge, because black would be new to the network
        padded = np.pad(image, ((side,) * 2, (side,) * 2, (0, 0)), mode="edge")
        shift = (*matrix[:2], matrix[2] + side, *matrix[3:5], matrix[5] + side)
        image = np.asarray(Image.fromarray(padded).transform((side, side), Image.Transform.AFFINE, shift, LINEAR))
    return image


def light(image: np.ndarray, rng: np.random.Generator, how: AugmentParams) -> np.ndarray:
    """Return the image in another light: brightness and contrast, and each channel on its own."""
    if not how.light and not how.colour:
        return image
    brightness, contrast = rng.uniform(1 - how.light, 1 + how.light, 2) if how.light else (1.0, 1.0)
    # one look-up table an image: eight times faster than float arithmetic on its pixels
    levels = (np.arange(256) - 128) * contrast + 128 * brightness
    if not how.colour:
        return np.clip(levels, 0, 255).astype(np.uint8)[image]
    gains = rng.uniform(1 - how.colour, 1 + how.colour, 3)
    tables = np.clip(levels * gains[:, None], 0, 255).astype(np.uint8)
    return np.stack([tables[channel][image[..., channel]] for channel in range(3)], axis=-1)


def degrade(image: np.ndarray, rng: np.random.Generator, how: AugmentParams) -> np.ndarray:
    """Return the image as a worse camera, a smaller file or an occlusion would show it; each change in half of the views."""
    shown = Image.fromarray(np.ascontiguousarray(image))
    if how.resolution < 1 and rng.integers(2):
        side = max(1, round(shown.width * rng.uniform(how.resolution, 1)))
        shown = shown.resize((side, side), LINEAR).resize(shown.size, LINEAR)
    if how.blur and rng.integers(2):
        shown = shown.filter(ImageFilter.GaussianBlur(rng.uniform(0, how.blur) * shown.width / SIZE))
    if how.jpeg < 100 and rng.integers(2):
        file = io.BytesIO()
        shown.save(file, "JPEG", quality=int(rng.integers(how.jpeg, 101)))
        shown = Image.open(file).convert("RGB")
    pixels = np.array(shown)
    if how.noise and rng.integers(2):
        noisy = pixels + rng.normal(0, rng.uniform(0, how.noise), pixels.shape)
        pixels = noisy.clip(0, 255).astype(np.uint8)
    if how.cutout and rng.integers(2):
        side = round(rng.uniform(0, how.cutout) * len(pixels))
        top, left = rng.integers(0, len(pixels) - side + 1, 2)
        pixels[top : top + side, left : left + side] = 128
    return pixels
