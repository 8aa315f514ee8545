"""From probabilities to an answer, by numbers frozen when a model was evaluated; plain numpy, the same for one row as for many.

A decision is a dict as it stands in JSON: `calibration` {method, ...}, `threshold`, and in `chosen_for`, if there is something
to say, what the threshold was chosen for. `evaluation.calibration` and `evaluation.operating_point` choose them.
"""

from typing import Any

import numpy as np

SHRINK = 1e-3  # how far from 0 and 1 `calibrate` takes a probability at least, see there


def calibrate(proba: np.ndarray, decision: dict[str, Any]) -> np.ndarray:
    """Return the probabilities that are shown and decided by, float64 (n, n_classes), of a model's own, `proba`.

    sigmoid, of two classes (Platt 1999): 1 / (1 + exp(-(a x + b))), where x is the logit of the positive one's. temperature
    (Guo et al. 2017, equation 9): the softmax of x / temperature, where x are the logarithms. Either keeps the order of
    samples, of two classes, or of a sample's classes.

    A vote of neighbours or trees may be exactly 0 or 1, whose logit is infinite. Probabilities are therefore first drawn a
    little towards their mean, all of them, because cutting them off would make ties of those near the ends.
    """
    proba = np.asarray(proba, dtype=np.float64)
    rule = decision.get("calibration", {"method": "none"})
    if rule["method"] == "none":
        return proba
    logs = log_odds(proba)
    if rule["method"] == "sigmoid":
        return two_classes(rule["slope"] * logs + rule["intercept"])
    return softmax(logs / rule["temperature"])


def log_odds(proba: np.ndarray) -> np.ndarray:
    """Return what is scaled to calibrate: of two classes the logit of the last (n,), of more the logarithms (n, n_classes)."""
    logs = np.log(np.ascontiguousarray(proba) * (1 - SHRINK) + SHRINK / proba.shape[1])
    return logs[:, 1] - logs[:, 0] if proba.shape[1] == 2 else logs


def two_classes(logit: np.ndarray) -> np.ndarray:
    """Return probabilities (n, 2) of the positive class' logits (n,); exp of large numbers is avoided."""
    small = np.exp(-np.abs(logit))
    low, high = small / (1 + small), 1 / (1 + small)
    return np.where((logit < 0)[:, None], np.column_stack([high, low]), np.column_stack([low, high]))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities (n, n_classes) of logits, whatever their size."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def decide(proba: np.ndarray, decision: dict[str, Any]) -> np.ndarray:
    """Return the decided class, int (n,), of calibrated probabilities (n, n_classes).

    Two classes: the positive one (the last) from `threshold` on. More: the most probable, the first of equals.
    """
    if proba.shape[1] == 2:
        return (proba[:, 1] >= decision["threshold"]).astype(int)
    return proba.argmax(axis=1)


def in_words(answer: str, positive: str | None, decision: dict[str, Any]) -> str:
    """Return the answer with the threshold it was given by and what that was chosen for; `positive` is None for more classes."""
    if positive is None:
        return f"{answer} is the most probable class"
    sign = "at or above" if answer == positive else "below"
    reason = f", chosen for {decision['chosen_for']}" if decision.get("chosen_for") else ""
    return f"{answer}: the probability of {positive} is {sign} {decision['threshold']:g}{reason}"
