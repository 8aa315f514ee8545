"""A copy is proposed whatever was done to it, and the same for every order of work."""

import numpy as np
import pytest
from PIL import Image

from pipeline.duplicates.images import candidates
from pipeline.duplicates.images.candidates import propose, words_of
from pipeline.duplicates.images.frames import frame_of, whiten
from pipeline.duplicates.images.keypoints import find_points
from tests.helpers.textures import texture

pytestmark = pytest.mark.filterwarnings("error")


def pixels(image):
    return np.asarray(image.convert("RGB"))


def search_features(images):
    """Return words, low frequencies and reliefs of images."""
    arrays = [pixels(image) for image in images]
    words = [words_of(find_points(array).descriptors) for array in arrays]
    frames = [frame_of(array) for array in arrays]
    return words, np.array([frame.frequencies for frame in frames]), np.array([frame.relief for frame in frames])


def proposals(words, frequencies, reliefs, **options):
    """Return the proposals as pairs, whitened as an audit does it."""
    return propose(words, whiten(frequencies), whiten(reliefs), **options).pairs


@pytest.fixture(scope="module")
def many():
    """Words, low frequencies and reliefs of 60 images."""
    return search_features([texture(seed) for seed in range(60)])


def test_an_image_and_its_mirror_image_share_most_words():
    image = texture(1)
    images = [image, image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), texture(2)]
    words, mirrored, other = search_features(images)[0]
    assert len(np.intersect1d(words, mirrored)) > 10 * len(np.intersect1d(words, other))


def test_copies_are_proposed_among_many_others(many):
    images = [texture(seed) for seed in range(7)]
    copies = [
        images[3].rotate(33, Image.Resampling.BICUBIC, expand=True),
        images[4].crop((20, 10, 160, 130)),
        images[5].resize((140, 150)).transpose(Image.Transpose.ROTATE_90),
        images[6].transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    ]
    words, *frames = search_features(copies)
    together = (np.concatenate([old, new]) for old, new in zip(many[1:], frames, strict=True))
    proposed = {tuple(pair) for pair in proposals(many[0] + words, *together).tolist()}
    assert {(3 + i, 60 + i) for i in range(4)} <= proposed


def test_proposals_are_pairs_of_two_sorted_and_bounded(many):
    proposed = proposals(*many)
    assert (proposed[:, 0] < proposed[:, 1]).all()
    assert proposed.tolist() == sorted(proposed.tolist())
    assert len(proposed) <= 60 * (candidates.MOST_BY_WORDS + 2 * candidates.MOST_BY_FRAMES)


def test_workers_and_block_size_change_no_proposal(many, monkeypatch):
    whole = proposals(*many)
    monkeypatch.setattr(candidates, "ROWS", 7)
    monkeypatch.setattr(candidates, "COLUMNS", 16)
    assert (proposals(*many, workers=2) == whole).all()


def test_the_largest_of_each_row_are_found():
    rng = np.random.default_rng(0)
    for n, most in [(1, 5), (5, 5), (6, 5), (160, 5), (177, 5), (1000, 25), (5003, 25)]:
        similar = rng.permutation(3 * n).reshape(3, n)
        columns = np.sort(candidates.best(similar, most), axis=1)
        assert (columns == np.sort(np.argsort(similar, axis=1)[:, -most:], axis=1)).all()


def test_one_image_none_and_images_without_points_are_no_trouble():
    assert propose([], np.empty((0, 80), np.float32), np.empty((0, 256), np.float32)).pairs.shape == (0, 2)
    words, *frames = search_features([Image.new("RGB", (50, 50), "red"), Image.new("RGB", (50, 50), "blue")])
    assert [len(word) for word in words] == [0, 0]
    assert proposals(words[:1], *(part[:1] for part in frames)).shape == (0, 2)
    assert proposals(words, *frames).shape == (0, 2)


def test_the_index_in_blocks_equals_the_transposed_weights(many, monkeypatch):
    monkeypatch.setattr(candidates, "INVERTED", 7)
    n_images = candidates.count_images(many[0])
    rarity = candidates.rarities(n_images, len(many[0]))
    index, whole = candidates.invert(many[0], rarity, n_images), candidates.weigh(many[0], rarity).T.tocsr()
    for name in ("data", "indices", "indptr"):
        part, expected = getattr(index, name), getattr(whole, name)
        assert part.dtype == expected.dtype
        np.testing.assert_array_equal(part, expected)
