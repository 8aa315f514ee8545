"""Report numbers outside the range of the training data; beyond `FAR` a row is refused, because a model can only guess there."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.core.errors import DataError
from pipeline.data.rows import OneRow, new_categories
from pipeline.data.tabular.formats import Field
from pipeline.data.tabular.values import to_category, to_number
from pipeline.prediction.answer import OodScore, Row

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 5  # categories named in a sentence
FAR = 0.5  # of a range's width, on either side of it


def beyond_training(rows: Sequence[Row], fields: list[Field]) -> list[str]:
    """Return a sentence for each column with numbers outside the range of the training data."""
    sentences = []
    for field in fields:
        if field.min is None or field.max is None:
            continue
        numbers = [number for row in rows if (number := known_number(row.get(field.name), field)) is not None]
        n_beyond = sum(number < field.min or number > field.max for number in numbers)
        if n_beyond:
            sentences.append(
                f"column {field.name!r}: {n_beyond} of {len(numbers)} cells lie outside of {field.min:g} to "
                f"{field.max:g}, which training saw; is it the same unit or code?"
            )
    return sentences


def known_number(value: Any, field: Field) -> float | None:
    """Return a value of a column of numbers, None where it is missing or no number."""
    try:
        number = to_number(value, field)
    except DataError:
        return None
    return None if np.isnan(number) else number


def unseen_categories(rows: Sequence[Row], fields: list[Field]) -> list[str]:
    """Return a sentence for each column that has categories which training never saw, with the number of cells."""
    sentences = []
    for field in fields:
        if field.choices is None or field.name not in (rows[0] if rows else {}):
            continue
        values = [to_category(row[field.name], field) for row in rows if not isinstance(row[field.name], bool)]
        new = Counter(value for value in values if value and value not in field.choices)
        if new:
            shown = ", ".join(f"{value!r} ({n})" for value, n in new.most_common(SHOWN))
            more = f" and {len(new) - SHOWN} more" if len(new) > SHOWN else ""
            sentences.append(
                f"column {field.name!r}: {new.total()} of {len(values)} cells are categories that training never saw: "
                f"{shown}{more}"
            )
    return sentences


def of_new_categories(new: dict[str, list[str]], fields: list[Field]) -> str:
    """Return a sentence on one row's categories that training never saw, "" where there are none."""
    choices = {field.name: field.choices or [] for field in fields if field.name in new}
    parts = []
    for name, values in new.items():
        training = ", ".join(choices[name][:SHOWN]) + (" ..." if len(choices[name]) > SHOWN else "")
        parts.append(f"{name!r} is {values[0]!r}, which training never saw (it saw {training})")
    return "; ".join(parts)


def of_constants(X: "OneRow | pd.DataFrame", fields: list[Field]) -> str:
    """Return a sentence on one row's numbers in columns that had another one in all of the training data, "" for none."""
    cells = [(field, np.asarray(X[field.name])[0]) for field in fields if field.is_number and field.is_constant]
    return "; ".join(
        f"{field.name!r} is {number:g}, in training always {field.min:g}: the model does not use this column"
        for field, number in cells
        if number != field.min and not np.isnan(number)
    )


def varied(fields: list[Field]) -> list[Field]:
    """Return the columns of numbers that varied in training."""
    return [field for field in fields if field.min is not None and field.max is not None and field.min < field.max]


def distances_and_components(X: "OneRow | pd.DataFrame", fields: list[Field]) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's largest `excess`, float64 (n,), and its components (n, k): where the number of each
    `varied` column is in the training range, -2 at the lower and 2 at the upper end; NaN where it is missing.
    """
    below, above = _outside(X, varied(fields))
    return farthest(below, above), 2 * (above - below)


def farthest(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Return the largest of each row's distances (n, k) from the ranges, float64 (n,); what is missing has 0."""
    return np.nan_to_num(np.maximum(below, above), nan=0.0).max(axis=1, initial=0.0)


def excess(X: "OneRow | pd.DataFrame", fields: list[Field]) -> dict[str, np.ndarray]:
    """Return how far each number (n,) of a column is outside the range of the training data, in widths of that range.

    `X` is made by `tables.to_frame` or `typed`. For columns of numbers that varied in training; what is missing has 0.
    """
    below, above = _outside(X, varied(fields))
    beyond = np.nan_to_num(np.maximum(below, above).clip(0), nan=0.0)
    return dict(zip([field.name for field in varied(fields)], beyond.T, strict=True))


def _outside(X: "OneRow | pd.DataFrame", fields: list[Field]) -> tuple[np.ndarray, np.ndarray]:
    """Return how far each number (n, k) lies below the range of its column, and how far above, in widths of the range."""
    low, high = (np.array([getattr(field, end) for field in fields], np.float64) for end in ("min", "max"))
    names = [field.name for field in fields]
    x = X.numbers(names) if isinstance(X, OneRow) else X[names].to_numpy(np.float64)
    return outside(x, low, high)


def outside(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far numbers (n, k) lie below and above ranges (k,), in widths of these."""
    return (low - x) / (high - low), (x - high) / (high - low)


def out_of_fold(X: "pd.DataFrame", fold: np.ndarray) -> np.ndarray:
    """Return each row's largest `excess` over the ranges of the rows of other folds, float64 (n,)."""
    distance = np.zeros(len(X))
    x = X[[name for name, column in X.items() if column.dtype == np.float64]].to_numpy(np.float64)
    for number in np.unique(fold):
        held_out = fold == number
        low, high = np.fmin.reduce(x[~held_out]), np.fmax.reduce(x[~held_out])
        varied = low < high
        below, above = outside(x[np.ix_(held_out, varied)], low[varied], high[varied])
        distance[held_out] = farthest(below, above)
    return distance


def score(X: "OneRow | pd.DataFrame", fields: list[Field], limit: float) -> OodScore:
    """Return the score of one row; where a number is over `limit` widths of its range off, the row is refused.

    A category that training never saw, or another number than the only one, is reported; it alone refuses no answer.
    """
    distance, components = distances_and_components(X, fields)
    distances = (
        {name: float(far[0]) for name, far in excess(X, fields).items() if far[0] > 0} if distance[0] > 0 else {}
    )
    is_refused = bool(distance[0] > limit)
    shown = [name for name, far in distances.items() if far > (limit if is_refused else 0)]
    ranges = {field.name: f"{field.min:g} to {field.max:g}" for field in fields if field.name in distances}
    numbers = ", ".join(f"{name!r} is {np.asarray(X[name])[0]:g}, in training {ranges[name]}" for name in shown)
    reason = (
        f"{'far ' * is_refused}outside the range of the training data: {numbers}; is it the same unit or code?"
        if shown
        else ""
    )
    new = new_categories(X, fields)
    reason = "; ".join(filter(None, (reason, of_constants(X, fields), of_new_categories(new, fields))))
    known = known_categories(X, fields)
    return OodScore(reason, is_refused, float(distance[0]) / limit, components[0], tuple(new), known)


def known_categories(X: "OneRow | pd.DataFrame", fields: list[Field]) -> tuple[tuple[str, str], ...]:
    """Return the (column, category) of a row's categories that training saw, "" for a missing one."""
    choices = {field.name: field.choices for field in fields if field.choices is not None}
    pairs = [(name, np.asarray(X[name])[0]) for name in choices]
    return tuple((name, value) for name, value in pairs if value == "" or value in choices[name])
