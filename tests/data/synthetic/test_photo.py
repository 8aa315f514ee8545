"""Photos of drawn skin."""

import numpy as np

from pipeline.data.synthetic.lesion import PATCH
from pipeline.data.synthetic.photo import photograph


def test_a_photo_is_rgb_with_skin_in_its_middle():
    white = np.full((PATCH, PATCH, 3), 255, dtype=np.uint8)
    for index in range(30):
        photo = photograph(np.random.default_rng(index), white)
        assert photo.dtype == np.uint8
        assert photo.ndim == 3
        assert photo.shape[2] == 3
        middle = photo[photo.shape[0] // 4 : -photo.shape[0] // 4, photo.shape[1] // 4 : -photo.shape[1] // 4]
        assert middle.mean() > 150
