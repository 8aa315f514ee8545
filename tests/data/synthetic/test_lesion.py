"""Drawn lesions look as ill as they are."""

import numpy as np

from pipeline.data.synthetic.lesion import draw_lesion


def test_a_more_malignant_lesion_is_darker_and_less_even():
    def unevenness(malignancy):
        patches = [draw_lesion(np.random.default_rng(index), malignancy) for index in range(12)]
        return np.mean([patch.mean(axis=2).std() for patch in patches])

    assert unevenness(0.95) > 1.2 * unevenness(0.05)
