"""Measure the distance of each training sample to the others: the reference for out-of-distribution scores."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.core import artifacts
from pipeline.core.parallel import one_thread
from pipeline.data.dataset import Dataset
from pipeline.data.image_with_columns import ImageWithColumns
from pipeline.data.tabular.field import Field
from pipeline.estimators._protocol import Model
from pipeline.prediction import ood_images, ood_tables


def score_training_samples(
    model: Model, X: Any, dev: Dataset, schema: list[Field], folder: Path
) -> dict[str, np.ndarray]:
    """Return `distance` of each sample to the other folds, (n,), and `places`, its components relative to all, float32 (n, k).

    For images also write known.npz, which becomes part of the bundle; with clinical columns, return `beyond` (n,), too.
    """
    if isinstance(X, pd.DataFrame):
        components = ood_tables.distances_and_components(X, schema)[1]
        return {"distance": ood_tables.out_of_fold(X, dev.fold), "places": components.astype(np.float32)}
    beyond = {"beyond": ood_tables.out_of_fold(X.columns, dev.fold)} if isinstance(X, ImageWithColumns) else {}
    embedding = model.ood_features(X)
    with one_thread():
        reference = ood_images.fit(embedding)
        artifacts.write_npz(folder / "known.npz", reference)
        components = ood_images.distances_and_components(reference, embedding)[1].astype(np.float32)
        return {"distance": ood_images.out_of_fold(embedding, dev.fold), "places": components} | beyond
