"""Self-test of a bundle: compare its predictions for synthetic inputs with those stored when it was exported."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.core.errors import BundleError
from pipeline.data.image_with_columns import ImageWithColumns, has_columns
from pipeline.data.images import squares
from pipeline.prediction.bundle import GoldenPrediction
from pipeline.prediction.explanation import LoadedSample
from pipeline.prediction.predictor import Predictor

TOLERANCE = 1e-4  # largest difference of a probability between two processors, and between Keras and LiteRT


def golden_predictions(predictor: Predictor) -> list[GoldenPrediction]:
    """Return the prediction for each synthetic image, or for each row made from the schema."""
    return [
        GoldenPrediction(name, predictor.score(sample).proba.tolist()) for name, sample in synthetic_samples(predictor)
    ]


def synthetic_samples(predictor: Predictor) -> Iterator[tuple[Any, LoadedSample]]:
    """Yield the name of each input in bundle.json, and the input."""
    fields = predictor.info.schema
    if predictor.info.is_table:
        for key in ("default", "min", "max"):
            row = {
                field.name: field.default if getattr(field, key) is None else getattr(field, key) for field in fields
            }
            yield row, predictor.load(row)
        return
    for number, square in enumerate(squares.sample_images()):
        sample = predictor.load_square(square)
        if has_columns(predictor.info.features):
            from pipeline.data import tables

            row = tables.to_frame({field.name: field.default for field in fields}, fields)
            sample = replace(sample, features=ImageWithColumns(sample.features, row))
        # Of the keys of bundle.json, which older ones have too: the function is `squares.sample_images` today
        yield f"images.sample_pictures()[{number}]", sample


def check(predictor: Predictor) -> None:
    """Raise BundleError unless predictions here are those of the machine that made the bundle, within TOLERANCE."""
    golden, predictions = predictor.info.golden, golden_predictions(predictor)
    if len(golden) != len(predictions):
        raise BundleError(
            f"{predictor.id} has {len(golden)} golden predictions; expected {len(predictions)}: run 'dvc repro'"
        )
    for expected, actual in zip(golden, predictions, strict=True):
        difference = np.abs(np.subtract(expected.probabilities, actual.probabilities)).max()
        if not difference <= TOLERANCE:
            raise BundleError(
                f"{predictor.id} answers {actual.input} with a probability off by {difference:.2g} from its golden "
                f"prediction; expected at most {TOLERANCE:.0g}: run 'dvc repro' with the versions installed here"
            )
