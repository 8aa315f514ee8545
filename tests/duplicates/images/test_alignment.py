"""One image is aligned to another by points or by frames, as far as a copy could be changed."""

import numpy as np
import pytest

from pipeline.duplicates.images import alignment
from pipeline.duplicates.images.frames import frame_of
from pipeline.duplicates.images.keypoints import find_points
from tests.helpers.textures import texture

TURNED = np.array([[0.6, -0.8, 5.0], [0.8, 0.6, -3.0]])  # by 53 degrees


def points(pixels: np.ndarray):
    return find_points(np.ascontiguousarray(pixels))


def test_a_map_is_found_among_points_that_disagree():
    rng = np.random.default_rng(0)
    xy = rng.uniform(0, 200, (60, 2))
    moved = xy @ TURNED[:, :2].T + TURNED[:, 2]
    moved[:15] = rng.uniform(0, 200, (15, 2))
    fitted = alignment.fit(xy, moved, mirrored=False)
    assert fitted.matrix == pytest.approx(TURNED, abs=1e-3)
    assert 40 <= fitted.inliers <= 46
    assert alignment.fit(xy, moved, mirrored=True) is None


@pytest.mark.parametrize("scale", [(4.0, 4.0), (0.2, 0.2), (2.5, 1.0)])
def test_no_copy_is_scaled_or_stretched_that_much(scale):
    assert not alignment.plausible(np.column_stack([np.diag(scale), [0.0, 0.0]]))
    assert alignment.plausible(TURNED)


def test_mutual_and_clear_matches_alone_are_kept():
    similar = np.array([[0.9, 0.1, 0.2], [0.1, 0.8, 0.79], [0.5, 0.1, 0.2]])
    rows, columns = alignment.match(similar)
    assert (rows.tolist(), columns.tolist()) == ([0], [0])


def test_frames_of_a_mirrored_image_are_mapped_by_its_flip():
    pixels = np.asarray(texture(3).convert("RGB"))
    a, b = points(pixels), points(pixels[:, ::-1])
    matrix, cosine = alignment.fit_frames(a, b, frame_of(a.grey).frequencies, frame_of(b.grey).frequencies)
    assert cosine > 0.99
    assert matrix == pytest.approx(np.array([[-1, 0, a.grey.shape[1] - 1], [0, 1, 0]]), abs=1e-6)
