"""What more data would bring: a power law through figures at several training sizes, extrapolated.

A figure at n samples is a + b n^-c (Cortes et al. 1994; Viering and Loog 2023, "The shape of learning curves: a review"). From
four sizes c cannot be told, and it decides most of what is extrapolated; so it is both 1 (parametric models) and 1/2 (slow
ones), and the interval covers what either says.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.stats.intervals import reach_of

POWERS = (0.5, 1.0)


@dataclass(frozen=True)
class Gain:
    """By how much a figure is expected to change, with its 95 % interval [low, high]."""

    gain: float
    ci: list[float]


def gain(
    sizes: np.ndarray, figures: np.ndarray, draws: np.ndarray, n: float, to: float, n_groups: int, widen: float
) -> Gain:
    """Return the expected change of a figure from a training size of `n` to one of `to`.

    Parameters
    ----------
    sizes, figures : float (m,), the training sizes and the figure at each
    draws : float (draws, m), a bootstrap over `n_groups` groups of test samples, paired between sizes
    widen : multiplies the spread, for what the bootstrap does not see: the variance of training
    """
    kept = ~np.isnan(draws).any(axis=1)
    if len(sizes) < 2 or np.isnan(figures).any() or 2 * kept.sum() < len(draws) or n_groups < 2:
        return Gain(np.nan, [np.nan, np.nan])
    estimates, ends = [], []
    for power in POWERS:
        slope = slopes(sizes**-power) * (to**-power - n**-power)
        estimate, spread = float(figures @ slope), float((draws[kept] @ slope).std())
        estimates.append(estimate)
        reach = reach_of(n_groups) * widen * spread
        ends += [estimate - reach, estimate + reach]
    return Gain(float(np.mean(estimates)), [min(ends), max(ends)])


def slopes(x: np.ndarray) -> np.ndarray:
    """Return the weights, float (m,), with which figures at `x` (m,) add up to the slope of their least squares line."""
    centred = x - x.mean()
    return np.asarray(centred / (centred @ centred))
