"""Views of an image change as `augment:` says and in nothing else."""

import numpy as np
import pytest

from pipeline.core.augment_params import PRESETS, AugmentParams
from pipeline.data.images import squares
from pipeline.estimators._augment import augment

STEADY = {"rotate": 0.0, "scale": 0.0, "noise": 0.0, "resolution": 1.0}
STILL = AugmentParams.model_validate("none")


def only(**own):
    return AugmentParams.model_validate({"preset": "none"} | own)


def views(how, n=12, seed=0, image=None):
    image = squares.sample_images()[0] if image is None else image
    return augment(image, n, np.random.default_rng(seed), how)


def positions(how, n=200):
    """Return where the brightest corner of an image comes to lie."""
    marked = np.zeros((8, 8, 3), np.uint8)
    marked[1, 2] = 255
    return {tuple(np.argwhere(view[..., 0] == view[..., 0].max())[0].tolist()) for view in views(how, n, 0, marked)}


@pytest.mark.parametrize("name", PRESETS)
def test_equal_seeds_give_equal_views_that_begin_with_the_image(name):
    how = AugmentParams.model_validate(name)
    first, second, other = (views(how, seed=seed) for seed in (1, 1, 2))
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first[0], squares.sample_images()[0])
    assert (name == "none") == np.array_equal(first, other)


def test_none_changes_nothing():
    seen = views(STILL)
    assert (seen == seen[:1]).all()


def test_flips_and_quarter_turns_reach_the_positions_they_name():
    assert positions(only(flips="horizontal")) == {(1, 2), (1, 5)}
    assert positions(only(flips="both")) == {(1, 2), (1, 5), (6, 2), (6, 5)}
    assert len(positions(AugmentParams(light=0.0))) == 8
    assert positions(AugmentParams.model_validate({"preset": "xray"} | STEADY)) == {
        (1, 2),
        (1, 5),
    }


@pytest.mark.parametrize(
    ("own", "limit"),
    [({"light": 0.1}, 60), ({"colour": 0.1}, 27), ({"noise": 5.0}, 45), ({"jpeg": 60}, 120), ({"cutout": 0.3}, 255)],
)
def test_a_change_stays_within_its_value(own, limit):
    seen = views(only(**own)).astype(int)
    difference = np.abs(seen - seen[0]).max(axis=(1, 2, 3))
    assert 0 < difference.max() <= limit


def test_colour_moves_channels_apart_and_light_does_not():
    grey = np.full((16, 16, 3), 120, np.uint8)
    assert np.ptp(views(only(light=0.3), image=grey).astype(int), axis=-1).max() == 0
    assert np.ptp(views(only(colour=0.3), image=grey).astype(int), axis=-1).max() > 5


@pytest.mark.parametrize("own", [{"blur": 3.0}, {"resolution": 0.2}])
def test_detail_is_lost_and_brightness_kept(own):
    noise = np.random.default_rng(3).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    seen = views(only(**own), image=noise)
    assert min(view.std() for view in seen) < 0.7 * noise.std()
    assert all(abs(view.mean() - noise.mean()) < 2 for view in seen)


def test_a_rotated_image_has_no_black_corners():
    white = np.full((32, 32, 3), 250, np.uint8)
    assert views(only(rotate=45.0, scale=0.4), image=white).min() > 240
    disc = np.zeros((33, 33, 3), np.uint8)
    disc[15:18, 15:18] = 255
    for view in views(only(rotate=180.0), image=disc):
        assert view[16, 16].min() > 200


def test_a_rotated_dot_moves_to_where_it_belongs():
    image = np.zeros((33, 33, 3), np.uint8)
    image[3:6, 15:18] = 255  # 12 px above the middle
    for view in views(only(rotate=90.0), n=30, image=image):
        y, x = np.argwhere(view[..., 0] > 60).mean(axis=0)
        assert abs(np.hypot(y - 16, x - 16) - 12) < 1.5
