"""Whether the images or rows of one name are more alike than chance."""

import numpy as np
import pandas as pd

from pipeline.duplicates.image_groups import search_images


def test_divisions_by_chance_are_rarely_confirmed():
    rng = np.random.default_rng(8)
    features = rng.normal(size=(160, 10))
    paths = [f"{'ab'[i % 2]}/{i // 4}_{i}.png" for i in range(160)]
    labels = [path[0] for path in paths]
    none = pd.DataFrame(index=range(160))
    choice = [search_images(paths, labels, 1, none, lambda rows: features[rows], seed).is_known for seed in range(20)]
    assert sum(choice) == 0
