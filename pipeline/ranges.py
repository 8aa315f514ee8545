"""Numbers outside of the range that training saw: said, and from `FAR` on not answered, because a model can only guess there."""

from typing import Any

import numpy as np
import pandas as pd

from pipeline.tables import as_number, is_missing, reads_as_number, schema

FAR = 0.5  # of a range's width, on either side of it


def beyond_training(table: pd.DataFrame, fields: list[dict[str, Any]]) -> list[str]:
    """Return a sentence for each column of numbers of which cells lie outside of the range that training saw."""
    found = []
    for field in fields:
        if field["type"] != "number" or field["min"] is None:
            continue
        numbers = [as_number(cell) for cell in table[field["name"]] if reads_as_number(cell) and not is_missing(cell)]
        n_beyond = sum(number < field["min"] or number > field["max"] for number in numbers)
        if n_beyond:
            found.append(
                f"column {field['name']!r}: {n_beyond} of {len(numbers)} cells lie outside of {field['min']:g} to "
                f"{field['max']:g}, which training saw; is it the same unit or code?"
            )
    return found


def excess(X: pd.DataFrame, fields: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Return how far each number (n,) of a column lies outside of the range that training saw, in widths of that range.

    `X` is made by `tables.to_frame` or `typed`. Of columns of numbers that varied in training; what is missing has 0.
    """
    beyond = {}
    for field in fields:
        if field["type"] == "number" and field["min"] is not None and field["min"] < field["max"]:
            x, width = X[field["name"]].to_numpy(dtype=np.float64), field["max"] - field["min"]
            beyond[field["name"]] = np.nan_to_num(
                np.maximum(field["min"] - x, x - field["max"]).clip(0) / width, nan=0.0
            )
    return beyond


def out_of_fold(X: pd.DataFrame, fold: np.ndarray) -> np.ndarray:
    """Return each row's largest `excess` over the ranges of the rows of other folds, float64 (n,)."""
    found = np.zeros(len(X))
    for number in np.unique(fold):
        held_out = fold == number
        beyond = excess(X[held_out], schema(X[~held_out], {}))
        found[held_out] = np.max([np.zeros(held_out.sum()), *beyond.values()], axis=0)
    return found


def doubt(X: pd.DataFrame, fields: list[dict[str, Any]], most: float) -> tuple[str, bool]:
    """Return what is doubtful about the numbers of one row, "" for nothing, and whether one is over `most` widths off."""
    beyond = {name: float(far[0]) for name, far in excess(X, fields).items() if far[0] > 0}
    if not beyond:
        return "", False
    is_refused = max(beyond.values()) > most
    shown = [name for name, far in beyond.items() if far > (most if is_refused else 0)]
    ranges = {field["name"]: f"{field['min']:g} to {field['max']:g}" for field in fields if field["name"] in beyond}
    said = ", ".join(f"{name!r} is {X[name].iloc[0]:g}, in training {ranges[name]}" for name in shown)
    return f"{'far ' * is_refused}outside of what training saw: {said}; is it the same unit or code?", is_refused
