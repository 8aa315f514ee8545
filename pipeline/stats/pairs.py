"""Shares of pairs: in how many the first of two independent samples is above the second. A ROC AUC is such a share.

Newcombe 2006, "Confidence intervals for an effect size measure based on the Mann-Whitney statistic. Part 2: asymptotic methods
and evaluation", Statistics in Medicine 25:559, method 5.
"""

from pipeline.stats.intervals import NORMAL


def superiority_interval(theta: float, m: float, n: float, level: float) -> tuple[float, float]:
    """Return Newcombe's interval (low, high) of a share of pairs of `m` and `n` samples: the values of theta for which the
    observed one is at the end of the likely range. It also holds where all pairs are of one kind.
    """
    z = NORMAL.inv_cdf((1 + level) / 2)

    def deviation(t: float) -> float:
        middle = (m + n) / 2 - 1
        return z * (t * (1 - t) * (1 + middle * ((1 - t) / (2 - t) + t / (1 + t))) / (m * n)) ** 0.5

    def end(towards: float) -> float:
        inside, outside = theta, towards
        for _ in range(50):  # halved: the likely ends where the deviation is smaller than the difference
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if abs(middle - theta) <= deviation(middle) else (inside, middle)
        return inside

    return end(0.0), end(1.0)
