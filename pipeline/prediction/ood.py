"""Compare a sample with the training data: images by `ood_images`, rows by `ood_tables`, images with clinical columns by both."""

from typing import Any

import numpy as np

from pipeline.data.image_with_columns import ImageWithColumns
from pipeline.prediction import ood_images
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
        from pipeline.prediction import ood_tables

        return ood_tables.score(features, info.schema, limit)
    if limit == np.inf and isinstance(features, ImageWithColumns):
        from pipeline.data.rows import new_categories
        from pipeline.prediction import ood_tables

        new = new_categories(features.columns, info.schema)
        return OodScore(ood_tables.of_new_categories(new, info.schema), new_categories=tuple(new))
    if limit == np.inf:
        return OodScore()
    image = ood_images.score(reference, compared, limit)
    if not isinstance(features, ImageWithColumns):
        return image
    from pipeline.prediction import ood_tables

    columns = ood_tables.score(features.columns, info.schema, ood_tables.FAR)
    reason = "; ".join(filter(None, (image.reason, columns.reason)))
    is_refused = image.is_refused or columns.is_refused
    return OodScore(reason, is_refused, image.distance, image.components, columns.new_categories, columns.categories)
