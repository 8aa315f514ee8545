"""The same picture is found under other bytes; pictures that are merely alike are not."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipeline import images
from pipeline.same_picture import MOST, PROPOSE, SMALL, Pair, find_pairs, group, links_of, low_frequencies, propose

pytestmark = pytest.mark.filterwarnings("error")


def texture(seed, width=200, height=150, contrast=1.0):
    """Return a drawn picture of soft colour spots on a bright ground, with grain."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 170.0)
    for size, strength in ((5, 50), (12, 30), (40, 15)):
        spots = rng.normal(0, strength * contrast, (size, size, 1)) + rng.normal(0, 5 * contrast, (size, size, 3))
        layers = [
            Image.fromarray(layer).resize((width, height), Image.Resampling.BICUBIC)
            for layer in np.moveaxis(spots, 2, 0).astype(np.float32)
        ]
        picture += np.stack([np.asarray(layer) for layer in layers], axis=2)
    picture += rng.normal(0, 3 * contrast, picture.shape)
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


def stored(image, file_format="JPEG", **options):
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def pairs_of(*files):
    """Return the pairs among encoded pictures."""
    pictures = [images.decode(data) for data in files]
    squares = [Image.fromarray(images.resize(picture.pixels, SMALL)).convert("L") for picture in pictures]
    sizes = np.array([(picture.width, picture.height) for picture in pictures])
    return find_pairs([picture.id for picture in pictures], np.stack([np.asarray(one) for one in squares]), sizes)


def test_equal_pixels_in_another_format_are_an_exact_copy():
    assert pairs_of(stored(texture(1), "PNG"), stored(texture(1), "BMP")) == [Pair(0, 1, "exact", 1.0)]


@pytest.mark.parametrize("seed", range(5))
def test_a_re_encoded_copy_is_found(seed):
    image = texture(seed)
    found = pairs_of(stored(image, quality=92), stored(image, quality=40))
    assert [(pair.a, pair.b, pair.kind) for pair in found] == [(0, 1, "re-encoded")]
    assert 0.85 <= found[0].score <= 1


@pytest.mark.parametrize("seed", range(5))
def test_a_resized_copy_is_found(seed):
    image = texture(seed)
    found = pairs_of(stored(image), stored(image.resize((100, 75))), stored(image.resize((67, 50)), "PNG"))
    assert {pair.kind for pair in found} == {"resized"}
    assert group(3, [(pair.a, pair.b) for pair in found]) == [[0, 1, 2]]


@pytest.mark.parametrize("size", [(143, 150), (200, 107), (150, 200)])
def test_a_squeezed_copy_is_found(size):
    image = texture(3)
    assert [pair.kind for pair in pairs_of(stored(image), stored(image.resize(size)))] == ["squeezed"]


def test_a_copy_that_is_drawn_upon_is_found_and_called_altered():
    image, marked = texture(4), texture(4)
    ImageDraw.Draw(marked).line((20, 10, 50, 30), fill="white", width=2)
    assert [pair.kind for pair in pairs_of(stored(image), stored(marked))] == ["altered"]


def test_two_photos_of_similar_texture_are_not_merged():
    assert pairs_of(*[stored(texture(seed)) for seed in range(40)]) == []


def test_two_photos_of_one_thing_are_not_merged():
    # the same large spots, with another grain and other small ones: what a second photo or the next slice shows
    images_ = [np.asarray(texture(5, contrast=share), float) for share in (1.0, 0.2)]
    second = images_[0] + np.asarray(texture(6, contrast=0.5), float) - 170
    assert pairs_of(stored(texture(5)), stored(Image.fromarray(second.clip(0, 255).astype(np.uint8)))) == []


def test_a_photo_taken_again_a_little_beside_is_not_merged():
    image = texture(7, 240, 180)
    assert pairs_of(stored(image.crop((0, 0, 200, 150))), stored(image.crop((4, 3, 204, 153)))) == []


def test_nearly_empty_pictures_match_only_if_they_are_equal():
    empty = [Image.fromarray(np.full((150, 200, 3), grey, np.uint8)) for grey in (200, 200, 201)]
    assert pairs_of(*[stored(image, "PNG") for image in empty]) == [Pair(0, 1, "exact", 1.0)]


def test_one_picture_or_none_has_no_pairs():
    assert pairs_of(stored(texture(1))) == []
    assert find_pairs([], np.empty((0, SMALL, SMALL), np.uint8), np.empty((0, 2), int)) == []


def test_the_number_of_workers_changes_nothing():
    rng = np.random.default_rng(0)
    few = np.stack([np.asarray(texture(seed).convert("L").resize((SMALL, SMALL))) for seed in range(50)])
    small = np.clip(few[rng.integers(50, size=400)] + rng.normal(0, 1, (400, SMALL, SMALL)), 0, 255).astype(np.uint8)
    ids, sizes = [str(i) for i in range(400)], np.full((400, 2), 200)
    found = find_pairs(ids, small, sizes, workers=1)
    assert found == find_pairs(ids, small, sizes, workers=2)
    assert len(group(400, [(pair.a, pair.b) for pair in found])) == 50


def test_proposals_are_bounded_for_look_alikes():
    unit = low_frequencies([np.asarray(texture(1).convert("L").resize((SMALL, SMALL)))] * 100)
    near = unit + np.random.default_rng(0).normal(0, 1e-3, unit.shape).astype(np.float32)
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    proposed = propose(near, 0)
    assert ((near[proposed[:, 0]] * near[proposed[:, 1]]).sum(axis=1) >= PROPOSE).all()
    assert (proposed[:, 0] < proposed[:, 1]).all()
    assert np.bincount(proposed[:, 0]).max() == MOST


def test_groups_follow_chains_and_keep_lone_positions():
    assert group(6, [(4, 2), (0, 4)]) == [[0, 2, 4], [1], [3], [5]]
    assert links_of(["x", "", "y", "x", "", "x"]) == [(0, 3), (3, 5)]
