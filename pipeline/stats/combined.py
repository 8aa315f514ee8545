"""Intervals of figures that are made of shares, from the intervals of the shares: at low prevalence a bootstrap fails there.

MOVER (method of variance estimates recovery; Zou and Donner 2008, "Construction of confidence intervals about effect measures",
Statistics in Medicine 27:1693): each part is moved to the end of its own interval, and the changes that this makes to the figure
are added as squares. The parts are independent, as the shares of different samples are; where groups hold samples of both
classes, sensitivity and specificity are negatively correlated, and the interval is a little too wide.
"""

from collections.abc import Callable, Sequence

import numpy as np

Part = tuple[float, Sequence[float]]  # a figure and its [low, high]


def mover(of: Callable[..., float], parts: Sequence[Part], least: float = 0.0) -> list[float]:
    """Return [low, high] of `of`(*figures), a figure of independent `parts` that is between `least` and 1.

    [nan, nan] where it or one of them is undefined.
    """
    estimates = [estimate for estimate, _ in parts]
    figure = of(*estimates)
    if np.isnan([figure, *(end for _, ends in parts for end in ends)]).any():
        return [np.nan, np.nan]
    down = up = 0.0
    for index, (_, ends) in enumerate(parts):
        moved = [figure, *(of(*estimates[:index], end, *estimates[index + 1 :]) for end in ends)]
        down += (figure - np.nanmin(moved)) ** 2
        up += (np.nanmax(moved) - figure) ** 2
    return [max(least, figure - down**0.5), min(1.0, figure + up**0.5)]


def balanced_accuracy(*recalls: float) -> float:
    """Return the mean of the classes' recalls."""
    return float(np.mean(recalls))


def f1(sensitivity: float, specificity: float, prevalence: float) -> float:
    """Return the F1 score of the positive one of two classes."""
    hits, alarms = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    return 2 * hits / (hits + alarms + prevalence)


def matthews(sensitivity: float, specificity: float, prevalence: float) -> float:
    """Return the Matthews correlation coefficient of two classes; 0 where all are decided alike."""
    called = sensitivity * prevalence + (1 - specificity) * (1 - prevalence)
    spread = called * (1 - called)
    if spread <= 0:
        return 0.0
    return (sensitivity + specificity - 1) * (prevalence * (1 - prevalence) / spread) ** 0.5


def predictive_values(sensitivity: float, specificity: float, prevalence: float) -> tuple[float, float]:
    """Return the positive and the negative predictive value by Bayes' rule (Altman and Bland 1994); NaN where undefined."""
    right, alarms = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    cleared, missed = specificity * (1 - prevalence), (1 - sensitivity) * prevalence
    return (
        right / (right + alarms) if right + alarms else np.nan,
        cleared / (cleared + missed) if cleared + missed else np.nan,
    )
