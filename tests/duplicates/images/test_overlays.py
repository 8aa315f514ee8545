"""Text that most images of a set show in the same place does not make them one image."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from pipeline.duplicates.images.fingerprint import open_store, take_all
from pipeline.duplicates.images.overlays import FEWEST, find_overlay
from pipeline.duplicates.images.pairs import find_pairs
from pipeline.duplicates.images.verify import signature_of
from tests.helpers.textures import stored, texture

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("empty_folder")]


def with_text(image: Image.Image) -> Image.Image:
    """Return the image with what a machine writes over it."""
    text = "HOSPITAL  ID 0000\nkV 120 mA 200\nW 400 L 40"
    ImageDraw.Draw(image).text((6, 6), text, (255, 255, 255), ImageFont.load_default(14))
    return image


def signatures(n: int, change=lambda image: image) -> list:
    pixels = [np.asarray(change(texture(seed))) for seed in range(n)]
    return [signature_of(image, *image.shape[1::-1]) for image in pixels]


def test_text_on_most_images_is_an_overlay():
    overlay = find_overlay(signatures(FEWEST, with_text))
    assert overlay is not None
    assert overlay[10:40, 10:60].mean() > 0.5
    assert not overlay[80:].any()


def test_different_images_and_few_images_have_no_overlay():
    assert find_overlay(signatures(FEWEST)) is None
    assert find_overlay(signatures(FEWEST - 1, with_text)) is None


def test_images_with_one_text_are_different_and_their_copies_found():
    images = [with_text(texture(seed)) for seed in range(FEWEST)]
    files = {f"{n}.png": stored(image, "PNG") for n, image in enumerate(images)}
    files["copy.jpg"] = stored(images[3], quality=60)
    for name, data in files.items():
        Path(name).write_bytes(data)
    store, paths = open_store(), [Path(name) for name in files]
    pairs = find_pairs(paths, take_all(paths, store, "t", 1), store)
    assert [(pair.a, pair.b) for pair in pairs] == [(3, FEWEST)]
