"""A decision: the numbers that turn a model's probabilities into an answer, evaluated in numpy."""

from typing import Any

import numpy as np


def plain() -> dict[str, Any]:
    """Return the decision that answers with the most probable class, without calibration or refusal."""
    return {"calibration": {"method": "none"}, "threshold": 0.5}


def decide(proba: np.ndarray, decision: dict[str, Any]) -> np.ndarray:
    """Return the decided class, int (n,), of probabilities (n, n_classes).

    Two classes: the positive one (the last) from `threshold` on. More: the most probable, the first of equals.
    """
    if proba.shape[1] == 2:
        return (proba[:, 1] >= decision["threshold"]).astype(int)
    return proba.argmax(axis=1)
