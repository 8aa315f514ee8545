"""95 % intervals of the figures in a report. Which kind a metric gets was decided by simulation: soak/test_coverage.py.

Of some 250 samples in 100 groups the plain percentile interval of a bootstrap over groups, meant to cover the truth in 95 %,
does so in 92 % for the AUC and 91 to 93 % for average precision, Brier score and log loss: it is a little too narrow, and
does not lean to the side on which these figures vary more. Hence four kinds:

- shares (accuracy, recall, specificity, precision, negative predictive value): `of_share`, Wilson's interval of an effective
  sample size (Korn and Graubard 1998; of those that Franco et al. 2019 compare for clusters, among the best);
- roc_auc and average_precision: the estimate and the draws' spread on the logit scale (for the latter: Boyd et al. 2013);
  brier_score_loss and log_loss on the log scale; with Student's quantile for as many groups as there are. Taking the spread
  as it is and scaling it at the estimate is narrower, and of 45 groups with an AUC of 0.98 covers in 93 % instead of 97;
- ece: the percentiles reflected at the estimate, [2 e - high, 2 e - low] (Davison and Hinkley 1997, equation 5.6). Noise
  alone makes a calibration error, a resample has it twice, and reflecting takes it off about once: it covers in 86 %;
- all others: percentiles, further out by Student's quantile and sqrt(G / (G - 1)) for G groups (Hesterberg 2015, section 5.3).
"""

from statistics import NormalDist

import numpy as np

LEVEL = 0.95
NORMAL = NormalDist()
ROUNDING = 1e-12  # of sums of weights
ERRORS = ("brier_score_loss", "log_loss", "ece")  # of which 0 is the best; the first two may be above 1
ENDS = {"matthews_corrcoef": (-1.0, 1.0)}  # of others 0 and 1


def of_metric(name: str, estimate: float, draws: np.ndarray, n_groups: int, n_rarest: int) -> list[float]:
    """Return [low, high] of a metric with the figure `estimate` and the `draws` (n,) of a bootstrap over `n_groups` groups.

    `n_rarest` is the number of groups of the rarest class. Draws that are NaN are left out; where they are more than half, or
    the estimate is NaN, or there is but one group, the interval is [nan, nan].
    """
    defined = draws[~np.isnan(draws)]
    if np.isnan(estimate) or not len(defined) or 2 * len(defined) < len(draws) or n_groups < 2:
        return [np.nan, np.nan]
    if np.ptp(defined) < ROUNDING:
        # Without a single error there is nothing to draw: what is known is how many chances for one there were.
        faultless = name not in ERRORS and estimate > 1 - ROUNDING
        return [wilson(n_rarest, n_rarest)[0], 1.0] if faultless else [estimate, estimate]
    reach = student(n_groups - 1) * (n_groups / (n_groups - 1)) ** 0.5
    values = np.append(defined, estimate)
    if name in ("roc_auc", "average_precision"):
        return (1 / (1 + np.exp(-_around(_log(values) - _log(1 - values), reach)))).tolist()
    if name in ERRORS[:2]:
        return np.exp(_around(_log(values), reach)).tolist()
    low, high = np.quantile(defined, [NORMAL.cdf(-reach), NORMAL.cdf(reach)])
    if name == "ece":
        low, high = 2 * estimate - high, 2 * estimate - low
    return np.clip([low, high], *ENDS.get(name, (0.0, 1.0))).tolist()


def of_share(right: np.ndarray, groups: np.ndarray) -> list[float]:
    """Return [low, high] of the share of `right`, bool (n,), where samples of one of the `groups` (n,) may be alike.

    Where every group is a sample it is Wilson's interval. Else Wilson's of the effective sample size: n divided by the design
    effect, which is the variance of the share by Taylor's linearisation over the variance of n independent samples (never
    less than 1), times the square of the normal by Student's quantile (Korn and Graubard 1998, section 2). All right or all
    wrong show no variance: then every group counts as one sample. [nan, nan] without a sample.
    """
    n = len(right)
    members = np.unique(groups, return_inverse=True)[1]
    n_groups = int(members.max()) + 1 if n else 0
    if n == n_groups:
        return list(wilson(int(np.sum(right)), n))
    share = float(np.mean(right))
    if n_groups == 1 or share in (0, 1):
        return list(wilson(share * n_groups, n_groups))
    residues = np.bincount(members, right - share)
    variance = n_groups / (n_groups - 1) * (residues**2).sum() / n**2
    design_effect = max(1.0, variance * (n - 1) / (share * (1 - share)))
    effective = n / design_effect * (student() / student(n_groups - 1)) ** 2
    return list(wilson(share * effective, effective))


def of_difference(a: float, a_ends: list[float] | None, b: float, b_ends: list[float] | None) -> list[float]:
    """Return [low, high] of a - b of two independent figures from their own intervals; [nan, nan] where one is undefined.

    MOVER (Zou and Donner 2008, equation 4; for shares Newcombe 1998, method 10): it keeps the intervals' asymmetry.
    """
    if a_ends is None or b_ends is None or np.isnan([a, b, *a_ends, *b_ends]).any():
        return [float("nan"), float("nan")]
    (a_low, a_high), (b_low, b_high) = a_ends, b_ends
    low = a - b - ((a - a_low) ** 2 + (b_high - b) ** 2) ** 0.5
    return [low, a - b + ((a_high - a) ** 2 + (b - b_low) ** 2) ** 0.5]


def wilson(successes: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Return the score interval (low, high) of a share (Wilson 1927), in 0..1; NaN for n = 0.

    It holds its level near 0 and 1 and for small n, where a bootstrap of 0 errors in 20 would say 0 to 0.
    """
    if n == 0:
        return float("nan"), float("nan")
    z = NORMAL.inv_cdf((1 + level) / 2)
    share = successes / n
    centre = share + z**2 / (2 * n)
    reach = z * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5
    # Written out at the ends, because rounding puts them a hair off 0 and 1.
    low = 0.0 if successes == 0 else (centre - reach) / (1 + z**2 / n)
    high = 1.0 if successes == n else (centre + reach) / (1 + z**2 / n)
    return low, high


def student(degrees: float = np.inf) -> float:
    """Return the quantile of Student's distribution within which `LEVEL` of it lies; the normal one's for infinity."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, (1 + LEVEL) / 2))


def _log(values: np.ndarray) -> np.ndarray:
    """Return logarithms; a 0 is taken for half of the smallest value above it."""
    return np.log(np.maximum(values, values[values > 0].min() / 2))


def _around(scaled: np.ndarray, reach: float) -> np.ndarray:
    """Return the last value, the estimate, less and plus `reach` standard deviations of the others, the draws."""
    return scaled[-1] + np.array([-reach, reach]) * scaled[:-1].std(ddof=1)
