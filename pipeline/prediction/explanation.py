"""What an answer rests on: where in an image, or on which columns of a row.

- A model that is linear in the mean of the last feature map (a network's head, a logistic regression on embeddings) has an exact
  class activation map (Zhou et al. 2016, section 2): the log-odds are the mean over its positions.
- Any other model of embeddings predicts again with a window of positions left out. This occludes the feature map instead of the
  image, so the network runs once. `benchmarks/explain.py` measures how often the peak is on a planted disc.
- A model of classical features, or of a network without a feature map, predicts again with a square of the image covered
  (Zeiler and Fergus 2014, section 4.2).
- A logistic regression on columns is a sum of terms, coefficient times standardised value. Any other model of columns predicts
  again with one column at its usual value. Clinical columns are explained in the same way, in addition to the map; with a
  logistic regression, the mean of the map plus these terms are the log-odds.

Each shows what changes the model's answer, not what causes the class. Probabilities are those before calibration, which keeps
their order."""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core import artifacts
from pipeline.data.image_with_columns import ImageWithColumns, image_part
from pipeline.data.rows import OneRow
from pipeline.prediction.answer import Contribution, Explanation, Row
from pipeline.prediction.bundle import BundleInfo
from pipeline.prediction.light_model import Regression

ACTIVATION, LEFT_OUT, COVERED = "class activation map", "places left out", "squares covered"
TERMS, CHANGES = "terms of the log-odds", "changes of the probability"
# Positions to each side: windows of 3x3 and 5x5 of 7x7, averaged; a single position changes too little.
WINDOWS = (1, 2)
SQUARE = 64  # side of a covered square in px; its centre is at each of 7x7 positions
GRID = 7
Proba = Callable[[Any], np.ndarray]
Embed = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class LoadedSample:
    """One sample: `features`, a batch of one as the model takes it, and what they were made from.

    `compared`: what of an image is compared with the training data, (1, n_compared). `square`: the image, uint8 RGB (224, 224,
    3). `feature_map`: (7, 7, n_features), if it was asked for. `cells`: the row as it was given. `note`: what is unusual about
    the values of the file. What a sample has not is empty.
    """

    features: Any
    compared: np.ndarray = field(default_factory=partial(np.empty, 0))
    square: np.ndarray = field(default_factory=partial(np.empty, 0))
    feature_map: np.ndarray = field(default_factory=partial(np.empty, 0))
    cells: Row = field(default_factory=dict)
    note: str = ""


def explain(info: BundleInfo, model: Any, sample: LoadedSample, embed: Embed, k: int) -> Explanation:
    """Return what the answer, class k, to a sample rests on.

    `model` is the fitted estimator, or the `kernel` and `bias` of a network's head; `embed` gives the features of an image, or
    in the latter case the probabilities.
    With clinical columns, these are `TERMS` of the log-odds where the map is exact, else `CHANGES`.
    """
    if info.is_table:
        kind, columns = of_row(info, model, sample, k)
        return Explanation(kind, columns=columns)
    kind, heat = of_image(info, model, sample, embed, k)
    is_combined = isinstance(sample.features, ImageWithColumns)
    columns_too = of_row(info, model, sample, k)[1] if is_combined else None
    from pipeline.prediction.heat_map import overlay  # brings Pillow

    return Explanation(kind, heat.tolist(), to_png(overlay(sample.square, heat)), columns_too)


def of_image(info: BundleInfo, model: Any, sample: LoadedSample, embed: Embed, k: int) -> tuple[str, np.ndarray]:
    """Return the kind of map and its values (height, width)."""

    def proba(features: np.ndarray) -> np.ndarray:
        if isinstance(model, dict):
            return features
        given = sample.features
        return model.predict_proba(given.with_images(features) if isinstance(given, ImageWithColumns) else features)

    if image_part(info.features) == "classical" or sample.feature_map.shape[:2] == (1, 1):
        return COVERED, squares_covered(sample.square, embed, proba, k)
    head = of_answer(model["kernel"], model["bias"]) if isinstance(model, dict) else linear_head(model)
    if head:
        return ACTIVATION, class_activation(sample.feature_map, *head, k)
    return LEFT_OUT, positions_left_out(sample.feature_map, proba, k)


def of_row(info: BundleInfo, model: Any, sample: LoadedSample, k: int) -> tuple[str, list[Contribution]]:
    """Return the kind and the contribution of each column, the largest first."""
    if is_regression(model):
        kind, by_column = TERMS, terms(model, sample.features, k)
    else:
        usual = {field.name: field.default for field in info.schema}
        kind, by_column = CHANGES, changes(model.predict_proba, sample.features, usual, k)
    columns: list[Contribution] = [
        {"column": name, "value": sample.cells.get(name), "contribution": value} for name, value in by_column.items()
    ]
    return kind, sorted(columns, key=lambda row: -abs(row["contribution"]))


def of_answer(W: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (n_features, n_classes) and bias (n_classes,) of what a class is decided by.

    With two classes that is the class's log-odds, with more its logit less the mean of all: softmax leaves a constant open.
    """
    scale = 2 if len(b) == 2 else 1
    return scale * (W - W.mean(axis=1, keepdims=True)), scale * (b - b.mean())


def linear_head(model: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """Return weights and bias, see `of_answer`, of a logistic regression on standardised arrays, on what was not standardised.

    None for any other model.
    """
    if not is_regression(model) or type(scaler := model.steps[0][1].transformer_).__name__ != "StandardScaler":
        return None
    coef, intercept = by_class(model.steps[-1][1])
    n = len(scaler.scale_)  # clinical columns come after it, and are explained by `terms`
    W = coef[:n] / scaler.scale_[:, None]
    return of_answer(W, intercept - scaler.mean_ @ W)


def is_regression(model: Any) -> bool:
    """Return whether a model is a logistic regression behind its preparation: scikit-learn's own class, or the light one."""
    last = model.steps[-1][1]
    is_own = type(last).__module__.startswith("sklearn.") and type(last).__name__ == "LogisticRegression"
    return is_own or isinstance(last, Regression)


def by_class(regression: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return a logistic regression's weights (n_features, n_classes) and bias (n_classes,), also of two classes."""
    coef, intercept = regression.coef_.T.astype(np.float64), regression.intercept_.astype(np.float64)
    if coef.shape[1] == 1:
        coef, intercept = coef * [-0.5, 0.5], intercept * [-0.5, 0.5]
    return coef, intercept


def class_activation(feature_map: np.ndarray, W: np.ndarray, b: np.ndarray, k: int) -> np.ndarray:
    """Return (height, width) whose mean is what class k is decided by; `feature_map` (height, width, n_features)."""
    return feature_map.astype(np.float64) @ W[:, k] + b[k]


def positions_left_out(feature_map: np.ndarray, proba: Proba, k: int) -> np.ndarray:
    """Return (height, width): by how much the probability of class k falls without the positions around each one."""
    height, width, n_features = feature_map.shape
    total, falls = feature_map.sum(axis=(0, 1), dtype=np.float64), np.zeros((height, width))
    whole = proba((total / (height * width)).astype(np.float32)[None])[0, k]
    for reach in WINDOWS:
        rest = np.empty((height, width, n_features), np.float32)
        for row, column in np.ndindex(height, width):
            window = feature_map[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
            n_left = height * width - window.shape[0] * window.shape[1]
            rest[row, column] = (total - window.sum(axis=(0, 1), dtype=np.float64)) / n_left
        falls += whole - proba(rest.reshape(-1, n_features))[:, k].reshape(height, width)
    return falls / len(WINDOWS)


def squares_covered(square: np.ndarray, embed: Embed, proba: Proba, k: int) -> np.ndarray:
    """Return (GRID, GRID): by how much the probability of class k falls with a square in the image's median colour.

    `square` uint8 (side, side, 3); `embed` gives the features (1, n_features) of such an image.
    """
    side, grey = square.shape[0], np.median(square, axis=(0, 1)).astype(np.uint8)
    centres = (np.arange(GRID) + 0.5) * side / GRID
    covered = []
    for y, x in np.stack(np.meshgrid(centres, centres, indexing="ij"), axis=-1).reshape(-1, 2):
        top, left = (max(0, round(centre - SQUARE / 2)) for centre in (y, x))
        image = square.copy()
        image[top : round(y + SQUARE / 2), left : round(x + SQUARE / 2)] = grey
        covered.append(embed(image))
    without = proba(np.concatenate(covered))[:, k].reshape(GRID, GRID)
    return proba(embed(square))[0, k] - without


def to_png(pixels: np.ndarray) -> bytes:
    """Return uint8 RGB as a PNG, compressed a little: 4 ms instead of 28, and a tenth more bytes."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=1)
    return out.getvalue()


def terms(model: Any, row: Any, k: int) -> dict[str, float]:
    """Return by column what it adds to what class k is decided by; `model` a logistic regression behind `Prepare`.

    A category's term is its coefficient; a column that the model left out adds 0.
    """
    (_, prepare), (_, last) = model.steps
    added = prepare.transform(row)[0] * of_answer(*by_class(last))[0][:, k]
    table = getattr(prepare, "beside_", None) or prepare.transformer_
    row = columns_of(row)
    names = prepared_columns(table)
    added_by = dict.fromkeys(row.columns, 0.0)
    for column, term in zip(names, added[len(added) - len(names) :], strict=True):
        added_by[column] += float(term)
    return added_by


def columns_of(row: Any) -> Any:
    """Return the DataFrame of one row, or that of an image with clinical columns."""
    if isinstance(row, OneRow):
        return row.to_frame()
    return row.columns if isinstance(row, ImageWithColumns) else row


def prepared_columns(transformer: Any) -> list[str]:
    """Return, for each number that a fitted ColumnTransformer of `Prepare` gives, the column that it comes from."""
    names = []
    for name, fitted, columns in transformer.transformers_:
        if name == "numbers":
            names += list(columns)
        elif name == "choices" and len(columns):
            sizes = [len(categories) for categories in fitted.categories_]
            names += [column for column, size in zip(columns, sizes, strict=True) for _ in range(size)]
    return names


def changes(proba: Proba, row: Any, usual: Row, k: int) -> dict[str, float]:
    """Return by column how much of the probability of class k is gone when it takes its `usual` value."""
    import pandas as pd

    table = columns_of(row)
    asked = pd.concat([table] * (len(table.columns) + 1), ignore_index=True)
    for number, column in enumerate(table.columns):
        asked[column] = asked[column].mask(asked.index == number, usual[column])
    whole = (
        ImageWithColumns(np.repeat(row.image, len(asked), axis=0), asked)
        if isinstance(row, ImageWithColumns)
        else asked
    )
    probabilities = proba(whole)[:, k]
    return {column: float(probabilities[-1] - probabilities[number]) for number, column in enumerate(table.columns)}


def save(folder: Path, number: int, name: str, explanation: Explanation) -> None:
    """Write an explanation to `folder` as <number>-<name>.png, and of columns .csv with column, value and contribution."""
    stem = folder / (f"{number}-" + re.sub(r"[^\w.-]+", "_", Path(name).name))
    if explanation.png is not None:
        artifacts.write_bytes(f"{stem}.png", explanation.png)
    if explanation.columns is None:
        return
    with artifacts.writing_csv(f"{stem}.csv", ["column", "value", "contribution"]) as write:
        for line in explanation.columns:
            write(line)
