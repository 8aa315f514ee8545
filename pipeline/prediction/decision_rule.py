"""Turn probabilities into an answer, by numbers frozen when a model was evaluated: plain numpy, the same for one row as for many.

`evaluation.calibration` and `evaluation.operating_point` choose the numbers; decisions/<model>.json and, under `decision`,
bundle.json hold them.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.core import artifacts
from pipeline.core.artifacts import JSON
from pipeline.core.paths import TaskPaths
from pipeline.core.stage import read_result

SHRINK = 1e-3  # the least distance of a probability from 0 and 1 in `calibrate`, which says why
OWN = ("threshold", "calibration", "chosen_for", "pooling", "unit")  # keys in JSON that are fields

NUMBERS: dict[str, tuple[str, ...]] = {"none": (), "sigmoid": ("slope", "intercept"), "temperature": ("temperature",)}


@dataclass(frozen=True)
class Calibration:
    """How probabilities are scaled, by the numbers that the `method` needs: none, sigmoid or temperature; see `calibrate`."""

    method: str = "none"
    slope: float = 1.0
    intercept: float = 0.0
    temperature: float = 1.0

    def to_json(self) -> JSON:
        """Return the method and the numbers that it needs."""
        return {"method": self.method} | {name: getattr(self, name) for name in NUMBERS[self.method]}

    def rounded(self) -> "Calibration":
        """Return the calibration at the digits of a file."""
        return Calibration(**artifacts.rounded(self))


@dataclass(frozen=True)
class DecisionRule:
    """How probabilities become an answer.

    `threshold`: the calibrated probability from which on the positive one of two classes is the answer. `chosen_for`: what the
    threshold was chosen for, in words, or "". `refusal`: the distance to the training data beyond which there is no answer,
    infinity where nothing is refused. `pooling`: how samples that are answered together become one (see `prediction.pooling`),
    "" where it was never chosen, because no group had several samples. `unit`: what calibration and threshold were chosen on,
    sample, group or the name of a column.
    """

    threshold: float = 0.5
    calibration: Calibration = Calibration()
    chosen_for: str = ""
    refusal: float = np.inf
    pooling: str = ""
    unit: str = "sample"

    @classmethod
    def fields_of_json(cls, content: JSON) -> JSON:
        """Return what `to_json` or an older version wrote by field: whatever is absent has its default."""
        known = {key: content[key] for key in OWN if key in content}
        return known | {"refusal": content.get("refusal", {}).get("threshold", np.inf)}

    @classmethod
    def read(cls, task: str, model: str, root: Path = Path()) -> "DecisionRule":
        """Return the rule that the stage `evaluate` froze for a model."""
        return read_result(cls, TaskPaths(task, root).decision_rule(model), f"evaluate@{task}")

    def to_json(self) -> JSON:
        """Return the content of decisions/<model>.json."""
        calibration = self.calibration.to_json()
        content: JSON = {"calibration": calibration, "threshold": self.threshold, "chosen_for": self.chosen_for}
        content |= {"pooling": self.pooling} if self.pooling else {}
        content |= {"unit": self.unit} if self.unit != "sample" else {}
        return content if self.refusal == np.inf else content | {"refusal": {"threshold": self.refusal}}


def calibrate(proba: np.ndarray, rule: DecisionRule) -> np.ndarray:
    """Return calibrated probabilities, float64 (n, n_classes), which are shown and decide; `proba` are those of the model.

    sigmoid, for two classes (Platt 1999): 1 / (1 + exp(-(a x + b))), where x is the logit of the positive one's. temperature
    (Guo et al. 2017, equation 9): the softmax of x / temperature, where x are the logarithms. Either keeps the order of
    samples, of two classes, or of a sample's classes.

    A vote of neighbours or trees may be exactly 0 or 1, whose logit is infinite. Probabilities are therefore first moved a
    little towards their mean, all of them: clipping would make equal those near the ends.
    """
    proba = np.asarray(proba, dtype=np.float64)
    calibration = rule.calibration
    if calibration.method == "none":
        return proba
    logs = log_odds(proba)
    if calibration.method == "sigmoid":
        return two_classes(calibration.slope * logs + calibration.intercept)
    return softmax(logs / calibration.temperature)


def log_odds(proba: np.ndarray) -> np.ndarray:
    """Return what calibration scales: with two classes the logit of the last (n,), with more the logarithms (n, n_classes)."""
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


def decide(proba: np.ndarray, rule: DecisionRule) -> np.ndarray:
    """Return the decided class, int (n,), of calibrated probabilities (n, n_classes).

    Two classes: the positive one (the last) from `threshold` on. More: the most probable, the first of equals.
    """
    if proba.shape[1] == 2:
        return (proba[:, 1] >= rule.threshold).astype(int)
    return proba.argmax(axis=1)


def in_words(answer: str, positive: str | None, rule: DecisionRule) -> str:
    """Return the answer with its threshold and what the threshold was chosen for; `positive` is None for more classes."""
    if positive is None:
        return f"{answer} is the most probable class"
    sign = "at or above" if answer == positive else "below"
    reason = f", chosen for {rule.chosen_for}" if rule.chosen_for else ""
    return f"{answer}: the probability of {positive} is {sign} {rule.threshold:g}{reason}"
