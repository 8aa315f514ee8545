"""Compare a sample with the training data: images by `ood_images`, rows by `ood_tables`, images with clinical columns by both."""

from typing import Any

import numpy as np

from pipeline.data.image_with_columns import ImageWithColumns
from pipeline.data.rows import new_categories
from pipeline.prediction import ood_images, ood_tables
from pipeline.prediction.answer import OodScore
from pipeline.prediction.bundle import BundleInfo


def score(
    info: BundleInfo, limit: float, features: Any, compared: np.ndarray, reference: dict[str, np.ndarray]
) -> OodScore:
    """Return the score of one sample.

    `features` are a batch of one as the model takes it, `compared` (1, n_features) what of an image is compared with
    `reference`, which `ood_images.fit` made. Beyond the distance `limit` a sample is refused; infinity refuses no image.
    """
    if info.is_table and not info.is_vector:
        return ood_tables.score(features, info.schema, limit)
    rows = features.columns if isinstance(features, ImageWithColumns) else None
    if limit == np.inf:
        new = {} if rows is None else new_categories(rows, info.schema)
        return OodScore(ood_tables.of_new_categories(new, info.schema), new_categories=tuple(new))
    image = ood_images.score(reference, compared, limit)
    if rows is None:
        return image
    columns = ood_tables.score(rows, info.schema, ood_tables.FAR)
    reason = "; ".join(filter(None, (image.reason, columns.reason)))
    is_refused = image.is_refused or columns.is_refused
    return OodScore(reason, is_refused, image.distance, image.components, columns.new_categories, columns.categories)
