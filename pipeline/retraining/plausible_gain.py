"""A challenger that gains more than more data can bring has learnt something else: copies, a shortcut, or labels of the test.

The most that `n_used` more samples can bring is the upper end of the champion's learning curve (`usefulness.learning_curve`).
"""

from pipeline.core import artifacts
from pipeline.core.paths import TaskPaths
from pipeline.evaluation.usefulness.learning_curve import LearningCurve
from pipeline.retraining.records import Change
from pipeline.stats.extrapolation import POWERS, Gain


def most(doubled: Gain, n: int, n_used: int) -> float:
    """Return the upper end of the gain by `n_used` more samples than `n`, from that of twice the data; at least 0."""
    shares = [((n + n_used) ** -power - n**-power) / ((2 * n) ** -power - n**-power) for power in POWERS]
    return max(0.0, doubled.ci[1]) * max(shares)


def finding(task: str, model: str, change: Change, n: int, n_used: int) -> str:
    """Return a sentence where the whole interval of the gain of ROC AUC is above what more data can bring, else "".

    "" too where the champion has no learning curve, as a fine-tuned network has none.
    """
    path = TaskPaths(task).learning_curve
    curve = artifacts.from_json(LearningCurve, artifacts.read_json(path)) if path.exists() else None
    if curve is None or curve.model != model or not n_used or "roc_auc" not in curve.doubled:
        return ""
    limit = most(curve.doubled["roc_auc"], n, n_used)
    low, high = change.ci
    if not low > limit:
        return ""
    return (
        f"Do not promote: the gain is too good. ROC AUC rises by {change.difference:.3f} [{low:.3f}, {high:.3f}] with "
        f"{n_used} more samples, and the learning curve allows at most {limit:.3f}: look for copies, a shortcut, or labels "
        "that were copied from answers."
    )
