"""A copy is proposed whatever was done to it, and the same for every order of work."""

import numpy as np
import pytest
from PIL import Image

from pipeline.duplicates.images import candidates
from pipeline.duplicates.images.candidates import ORDER, SIGNS, low_frequencies, propose, words_of
from pipeline.duplicates.images.keypoints import find_points
from tests.helpers.textures import texture

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("one_thread")]


def pixels(image):
    return np.asarray(image.convert("RGB"))


def search_features(images):
    """Return words and low frequencies of images."""
    arrays = [pixels(image) for image in images]
    words = [words_of(find_points(array).descriptors) for array in arrays]
    return words, np.array([low_frequencies(array) for array in arrays])


@pytest.fixture(scope="module")
def many():
    """Words and low frequencies of 60 images."""
    return search_features([texture(seed) for seed in range(60)])


def test_an_image_and_its_mirror_image_share_most_words():
    image = texture(1)
    (words, mirrored, other), _ = search_features([image, image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), texture(2)])
    assert len(np.intersect1d(words, mirrored)) > 10 * len(np.intersect1d(words, other))


@pytest.mark.parametrize("which", range(8))
def test_flipped_low_frequencies_are_those_of_the_flipped_image(which):
    image = texture(5)
    transposed, down, across = which // 4, which // 2 % 2, which % 2
    flipped = image.transpose(Image.Transpose.TRANSPOSE) if transposed else image
    flipped = flipped.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if down else flipped
    flipped = flipped.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if across else flipped
    own = low_frequencies(pixels(image))
    assert own[ORDER[which]] * SIGNS[which] @ low_frequencies(pixels(flipped)) > 0.999


def test_copies_are_proposed_among_many_others(many):
    images = [texture(seed) for seed in range(7)]
    copies = [
        images[3].rotate(33, Image.Resampling.BICUBIC, expand=True),
        images[4].crop((20, 10, 160, 130)),
        images[5].resize((140, 150)).transpose(Image.Transpose.ROTATE_90),
        images[6].transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    ]
    words, frequencies = search_features(copies)
    proposed = {tuple(pair) for pair in propose(many[0] + words, np.concatenate([many[1], frequencies])).tolist()}
    assert {(3 + i, 60 + i) for i in range(4)} <= proposed


def test_proposals_are_pairs_of_two_sorted_and_bounded(many):
    proposed = propose(*many)
    assert (proposed[:, 0] < proposed[:, 1]).all()
    assert proposed.tolist() == sorted(proposed.tolist())
    assert len(proposed) <= 60 * (candidates.MOST_BY_WORDS + candidates.MOST_BY_FREQUENCIES)


def test_workers_and_block_size_change_no_proposal(many, monkeypatch):
    whole = propose(*many)
    monkeypatch.setattr(candidates, "CELLS", 180)  # three images at once
    assert (propose(*many, workers=2) == whole).all()


def test_one_image_none_and_images_without_points_are_no_trouble():
    assert propose([], np.empty((0, 80), np.float32)).shape == (0, 2)
    words, frequencies = search_features([Image.new("RGB", (50, 50), "red"), Image.new("RGB", (50, 50), "blue")])
    assert [len(word) for word in words] == [0, 0]
    assert propose(words[:1], frequencies[:1]).shape == (0, 2)
    assert propose(words, frequencies).shape == (0, 2)
