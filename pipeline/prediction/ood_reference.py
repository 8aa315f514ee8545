"""Measure the distance of each training sample to the others: the reference for out-of-distribution scores."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core import artifacts
from pipeline.core.threads import one_thread
from pipeline.data.dataset import Dataset
from pipeline.data.image_with_columns import ImageWithColumns
from pipeline.data.tabular.formats import Field
from pipeline.prediction import ood_images, ood_tables


def score_training_samples(
    features: str, X: Any, dev: Dataset, schema: list[Field], folder: Path
) -> dict[str, np.ndarray]:
    """Return `distance` of each sample to the other folds, (n,), and `places`, its components relative to all, float32 (n, k).

    `features` are those that the model takes. For images also write known.npz, which becomes part of the bundle, and return
    `view_distance` (m,) of their views where there are any; with clinical columns, return `beyond` (n,), too.
    """
    if isinstance(X, pd.DataFrame):
        components = ood_tables.distances_and_components(X, schema)[1]
        return {"distance": ood_tables.out_of_fold(X, dev.fold), "places": components.astype(np.float32)}
    scores = {"beyond": ood_tables.out_of_fold(X.columns, dev.fold)} if isinstance(X, ImageWithColumns) else {}
    kind = ood_images.compared_features(features)
    compared, views = dev.arrays[kind], dev.views(kind)
    with one_thread():
        reference = ood_images.fit(compared, views.features)
        artifacts.write_npz(folder / "known.npz", reference)
        scores["places"] = ood_images.distances_and_components(reference, compared)[1].astype(np.float32)
        scores["distance"], of_views = ood_images.out_of_fold(compared, dev.fold, views)
    return scores | ({"view_distance": of_views} if len(of_views) else {})
