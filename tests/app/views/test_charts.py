"""Curves are drawn with few points."""

import numpy as np
import pandas as pd

from app.views import charts


def test_long_curves_are_thinned_and_keep_their_ends():
    curve = pd.DataFrame({"fpr": np.arange(9001), "tpr": np.arange(9001)})
    kept = charts.thinned(curve)
    assert len(kept) <= charts.MOST
    assert kept["fpr"].iloc[[0, -1]].tolist() == [0, 9000]
