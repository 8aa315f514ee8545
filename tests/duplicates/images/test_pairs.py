"""All copies among files are found, by their bytes, pixels or points; a second audit compares only what is new."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from pipeline.core.errors import DataError
from pipeline.data.audit_result import Pair
from pipeline.duplicates.images import pairs
from pipeline.duplicates.images.fingerprint import open_store, take
from pipeline.duplicates.images.pairs import Item, find_pairs
from pipeline.stats.components import joined_sets
from tests.helpers.textures import stored, texture

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("empty_folder")]


def pairs_of(files, workers=2):
    """Return the pairs among encoded images, in a folder of files."""
    paths = [Path(f"{number}.img") for number in range(len(files))]
    for path, data in zip(paths, files, strict=True):
        path.write_bytes(data)
    store, prints = open_store(), []
    for path in paths:
        result, new = take(path, store)
        store.put(new)
        prints.append(result)
    return find_pairs(paths, prints, store, workers)


@cache
def several():
    """Return ten images as JPEG, and two altered copies of two of them."""
    images = [texture(seed) for seed in range(10)]
    rotated = images[2].rotate(25, Image.Resampling.BICUBIC, expand=True)
    return [stored(image) for image in (*images, rotated, images[5].crop((10, 10, 180, 140)))]


def test_equal_pixels_in_another_format_are_an_exact_copy():
    assert pairs_of([stored(texture(1), "PNG"), stored(texture(1), "BMP")]) == [Pair(0, 1, "exact", 1.0, True)]


def test_altered_copies_are_found_and_no_others():
    result = pairs_of(several())
    assert [(pair.a, pair.b, pair.kind, pair.copy) for pair in result] == [
        (2, 10, "rotated by 25 degrees", True),
        (5, 11, "cropped", True),
    ]
    assert all(0.9 < pair.score <= 1 for pair in result)


def with_text(image):
    pen = ImageDraw.Draw(image)
    for line in range(5):
        pen.text((5, 5 + 28 * line), "left upper back, follow-up", "white", ImageFont.load_default(14))
    return image


def grainy(image):
    noise = np.random.default_rng(0).normal(0, 50, (image.height, image.width, 3))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


@pytest.mark.parametrize(
    ("kind", "alter"),
    {
        "mirrored": lambda image: ImageOps.mirror(image).filter(ImageFilter.GaussianBlur(6)),
        "noise": grainy,
        "inverted": ImageOps.invert,
        "marked": with_text,
        "contrast": lambda image: ImageOps.autocontrast(image.point(lambda level: 110 + level // 7), cutoff=0).point(
            lambda level: 100 + level // 5
        ),
    }.items(),
)
def test_a_copy_without_common_detail_is_found_and_named(kind, alter):
    images = [texture(seed) for seed in range(10)]
    (pair,) = pairs_of([stored(image) for image in (*images, alter(images[3].convert("RGB")))])
    assert (pair.a, pair.b) == (3, 10)
    assert kind in pair.kind.split(", ")


def test_nearly_empty_images_match_only_if_equal():
    empty = [Image.new("RGB", (200, 150), (grey, grey, grey)) for grey in (200, 200, 201)]
    assert pairs_of([stored(image, "PNG") for image in empty]) == [Pair(0, 1, "exact", 1.0, True)]


@pytest.mark.parametrize("n", [2, 3])
def test_copies_are_found_where_there_is_no_other_image(n):
    image = texture(2)
    rotated = [image.rotate(angle, Image.Resampling.BICUBIC, expand=True) for angle in (0, 133, 40)]
    result = pairs_of([stored(item) for item in rotated[:n]])
    assert joined_sets(n, [(pair.a, pair.b) for pair in result]) == [list(range(n))]


def test_one_image_or_none_has_no_pairs():
    assert pairs_of([stored(texture(1))]) == []
    assert pairs_of([]) == []


def test_workers_and_what_the_store_knows_change_nothing(empty_folder):
    files = several()
    first = pairs_of(files, workers=1)
    assert pairs_of(files, workers=2) == first  # from the store
    (empty_folder / ".cache/features/audit.sqlite").unlink()
    assert pairs_of(files, workers=2) == first


def test_only_pairs_of_new_images_are_compared(monkeypatch):
    compared = []
    confirm = pairs.confirm
    monkeypatch.setattr(pairs, "confirm", lambda a, b: compared.append(1) or confirm(a, b))
    files = several()
    pairs_of(files)
    before = len(compared)
    pairs_of(files)
    assert len(compared) == before
    pairs_of([*files, stored(texture(99))])
    assert before < len(compared) <= before + len(files)


def test_without_a_store_all_is_found_from_the_files(monkeypatch):
    files = several()
    first = pairs_of(files)
    monkeypatch.setattr("pipeline.core.feature_cache.FeatureStore.get", lambda self, key: None)
    assert pairs_of(files) == first


def test_a_file_that_changes_under_the_audit_is_named(empty_folder):
    (empty_folder / "a.png").write_bytes(stored(texture(1), "PNG"))
    result, _ = take(empty_folder / "a.png", open_store())
    (empty_folder / "a.png").write_bytes(stored(texture(2), "PNG"))
    with pytest.raises(DataError, match=r"a\.png: has changed while it was audited; run it again"):
        pairs.load_signature(empty_folder / "a.png", result.key, open_store())


def test_what_is_no_readable_file_says_why(empty_folder):
    (empty_folder / "bad.png").write_bytes(b"no image")
    result, new = take(empty_folder / "bad.png", open_store())
    assert result.facts.error == "not a readable image; expected one of JPEG, PNG, BMP, TIFF, WEBP, DICOM"
    assert new == []


@pytest.mark.parametrize(
    ("likeness", "relief", "alike"), [(0.98, 0.1, True), (0.95, 0.83, True), (0.95, 0.8, False), (0.92, 0.95, False)]
)
def test_relief_makes_up_for_low_frequencies(likeness, relief, alike):
    assert Item(files=(), by_frame=True, likeness=likeness, relief=relief, by_points=False).is_alike == alike
