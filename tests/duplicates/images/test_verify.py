"""Two images are one whatever was done, the change is named, and images that are merely alike are not taken for one."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipeline.data.images import decoding
from pipeline.duplicates.images.edits import describe
from pipeline.duplicates.images.verify import Signature, confirm, signature_of
from tests.helpers.textures import stored, texture

pytestmark = pytest.mark.filterwarnings("error")
T = Image.Transpose
BICUBIC = Image.Resampling.BICUBIC


def signature(image, quality=90):
    photo = decoding.decode(stored(image.convert("RGB"), quality=quality))
    return signature_of(photo.pixels, photo.width, photo.height)


def verdict(image, other, quality=90):
    """Return what was done and whether it is a copy, or None."""
    a, b = signature(image), signature(other, quality)
    agreed = confirm(a, b)
    return (describe(a, b, agreed), agreed.copy) if agreed else None


def brighter(image, by=1.2):
    return image.point([min(255, round(level * by)) for level in range(256)] * 3)


def compressed(image, quality):
    return Image.open(io.BytesIO(stored(image, quality=quality)))


CHANGES = {
    "re-encoded": lambda image: image,
    "resized": lambda image: image.resize((100, 75), BICUBIC),
    "stretched": lambda image: image.resize((143, 150), BICUBIC),
    "cropped": lambda image: image.crop((12, 5, 192, 140)),
    "resized, cropped": lambda image: image.crop((12, 5, 192, 140)).resize((120, 90), BICUBIC),
    "rotated by 17 degrees": lambda image: image.rotate(17, BICUBIC, expand=True),
    "rotated by 90 degrees": lambda image: image.transpose(T.ROTATE_90),
    "rotated by 133 degrees, cropped": lambda image: image.rotate(133, BICUBIC),
    "rotated by 180 degrees": lambda image: image.transpose(T.ROTATE_180),
    "mirrored": lambda image: image.transpose(T.FLIP_LEFT_RIGHT),
    "mirrored, rotated by 180 degrees": lambda image: image.transpose(T.FLIP_TOP_BOTTOM),
    "brightness": lambda image: brighter(image, 0.8),
    "mirrored, rotated by 17 degrees": lambda image: image.transpose(T.FLIP_LEFT_RIGHT).rotate(
        17, BICUBIC, expand=True
    ),
    "stretched, brightness": lambda image: brighter(image.resize((143, 150), BICUBIC), 0.8),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_copy_is_found_and_the_change_named(change):
    for seed in (1, 2):
        image = texture(seed)
        assert verdict(image, CHANGES[change](image)) == (change, True)


def test_another_tint_is_described_as_colour():
    image = texture(1)
    red, green, blue = image.split()
    tinted = Image.merge("RGB", [red, green.point(lambda level: level * 0.9), blue.point(lambda level: level * 0.8)])
    assert verdict(image, tinted) == ("brightness, colour", True)


def test_a_copy_with_drawings_is_described_as_marked():
    image, marked = texture(4), texture(4)
    ImageDraw.Draw(marked).line((20, 10, 80, 60), fill="black", width=5)
    assert verdict(image, marked) == ("marked", True)


@pytest.mark.parametrize("seed", range(5))
def test_a_strongly_compressed_copy_is_found(seed):
    image = texture(seed)
    what, _ = verdict(image, image, quality=30)
    assert what == "re-encoded"


@pytest.mark.parametrize("seed", [0, 3])
def test_soft_skin_is_found_by_its_whole_frame(seed):
    rng, skin = np.random.default_rng(seed), np.full((150, 200), 170.0)
    for size, strength in ((4, 25), (9, 8)):
        spots = Image.fromarray(rng.normal(0, strength, (size, size)).astype(np.float32))
        skin += np.asarray(spots.resize((200, 150), BICUBIC))
    skin += rng.normal(0, 3, skin.shape)
    image = Image.fromarray(skin.clip(0, 255).astype(np.uint8)).convert("RGB")
    assert verdict(image, compressed(image.resize((100, 75), BICUBIC), 40)) == ("resized", False)


def test_the_order_of_two_images_does_not_matter():
    image = texture(8)
    other = image.rotate(40, BICUBIC, expand=True)
    assert verdict(image, other) == verdict(other, image) == ("rotated by 40 degrees", True)


def test_images_of_similar_texture_are_not_one():
    signatures = [signature(texture(seed)) for seed in range(15)]
    assert not [1 for i, a in enumerate(signatures) for b in signatures[:i] if confirm(a, b)]


def test_two_images_of_one_thing_are_near_and_no_copies():
    # The same large spots with other small ones and another grain: a second photograph, or the next slice of a scan.
    large, small = (np.asarray(texture(seed, contrast=share), float) for seed, share in ((5, 1.0), (6, 0.35)))
    second = Image.fromarray((large + small - 170).clip(0, 255).astype(np.uint8))
    what = verdict(texture(5), second)
    assert what is not None
    assert not what[1]


def test_nearly_empty_images_do_not_match():
    rng = np.random.default_rng(0)
    empty = [Image.fromarray(np.clip(rng.normal(200, 0.5, (150, 200, 3)), 0, 255).astype(np.uint8)) for _ in range(4)]
    signatures = [signature(image) for image in empty]
    assert not [1 for i, a in enumerate(signatures) for b in signatures[:i] if confirm(a, b)]


def test_a_signature_survives_being_stored():
    kept = signature(texture(3).rotate(10, BICUBIC, expand=True))
    again = Signature.of_arrays(kept.arrays())
    assert (again.points.content == kept.points.content).all()
    assert (again.points.xy == kept.points.xy).all()
    assert (again.size == kept.size).all()
    assert (again.colours == kept.colours).all()
