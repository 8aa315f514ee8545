"""Is more data worth it? The champion's figures by training size, and what twice the data are expected to bring.

Light to import: a page of the app shows it; `evaluation.usefulness.training_sizes` makes it.
"""

from dataclasses import dataclass, field

import numpy as np

from pipeline.core.paths import TaskPaths
from pipeline.core.stage import read_result
from pipeline.stats.extrapolation import Gain


@dataclass(frozen=True)
class Step:
    """The figures, with 95 % intervals, of models fitted on `n` samples, the mean over folds."""

    n: int
    roc_auc: float
    log_loss: float
    ci: dict[str, list[float]]


@dataclass(frozen=True)
class LearningCurve:
    """The content of learning_curve.json: `steps` from few samples to all, what `doubled` data bring by metric; or a `reason`."""

    model: str
    steps: list[Step] = field(default_factory=list)
    doubled: dict[str, Gain] = field(default_factory=dict)
    reason: str = ""

    @classmethod
    def read(cls, task: str) -> "LearningCurve":
        """Return a task's learning curve."""
        return read_result(cls, TaskPaths(task).learning_curve, f"learning_curve@{task}")


def in_words(curve: LearningCurve) -> str:
    """Return what more data would bring, as a sentence."""
    change = curve.doubled.get("roc_auc")
    if change is None or np.isnan([change.gain, *change.ci]).any():
        return f"No learning curve: {curve.reason or 'a class is missing at the smaller sizes'}."
    low, high = change.ci
    verdict = (
        "more data are worth collecting"
        if low > 0
        else "whether more data are worth collecting cannot be told from these"
    )
    return (
        f"With twice the training data the ROC AUC is expected to change by {change.gain:+.3f} [{low:+.3f}, {high:+.3f}]: "
        f"{verdict}. Extrapolated by a power law from fits on {', '.join(str(step.n) for step in curve.steps)} samples."
    )
