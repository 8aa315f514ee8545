"""What figures are called where people read them, in the order in which they are shown."""

import math
from collections.abc import Sequence

# Whom an interval is for: the delivered model, on infinitely many of them (docs/statistics.md).
PROMISE = "new patients like these"


NAMES = {
    "roc_auc": "ROC AUC",
    "average_precision": "Average precision",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "recall": "Sensitivity (recall)",
    "specificity": "Specificity",
    "precision": "Positive predictive value (precision)",
    "negative_predictive_value": "Negative predictive value",
    "recall_macro": "Recall, mean over classes",
    "precision_macro": "Precision, mean over classes",
    "f1": "F1",
    "f1_macro": "F1, mean over classes",
    "matthews_corrcoef": "Matthews correlation",
    "brier_score_loss": "Brier score (0 is best)",
    "log_loss": "Log loss (0 is best)",
    "calibration_slope": "Calibration slope (1 is best)",
    "calibration_intercept": "Calibration intercept (0 is best)",
    "net_benefit": "Net benefit at the threshold",
    "net_benefit_gain": "Net benefit over the better of treating all and none",
    "ece": "Expected calibration error (0 is best)",
    "refused": "Refused as out-of-distribution",
}


def in_brackets(ends: Sequence[float]) -> str:
    """Return an interval behind a figure, such as " [0.850, 0.958]"; "" where it is undefined, of few groups."""
    return "" if any(map(math.isnan, ends)) else f" [{ends[0]:.3f}, {ends[1]:.3f}]"
