"""95 % intervals of what the figures in a report promise: the delivered model's on infinitely many new patients.

Which kind a metric gets, and how wide, was decided by simulation (soak/test_coverage.py):

- shares (accuracy, recall, specificity, precision, negative predictive value): `of_share`, Wilson's interval of an effective
  sample size (Korn and Graubard 1998; of those that Franco et al. 2019 compare for clusters, among the best);
- roc_auc and average_precision: the estimate and the draws' spread on the logit scale (for the latter: Boyd et al. 2013);
  brier_score_loss and log_loss on the log scale; with Student's quantile for as many groups as there are. Taking the spread
  as it is and scaling it at the estimate is narrower, and of 45 groups with an AUC of 0.98 covers in 93 % instead of 97;
- balanced accuracy, and of two classes F1 and Matthews correlation: `stats.combined`, from the shares that they are made of;
- all others: percentiles, further out by Student's quantile and sqrt(G / (G - 1)) for G groups (Hesterberg 2015, section 5.3).
  The expected calibration error has none: noise alone makes one, and no interval of it covers in small sets.

A bootstrap of out-of-fold predictions holds the models fixed. That another training set would have given other models is left
out, and the folds' errors depend on each other (Bengio and Grandvalet 2004; Bates, Hastie and Tibshirani 2024): intervals out of
fold are widened by `of_training`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

LEVEL = 0.95
NORMAL = NormalDist()
ROUNDING = 1e-12  # of sums of weights
ERRORS = ("brier_score_loss", "log_loss")  # of which 0 is the best, and which may be above 1
ENDS = {"matthews_corrcoef": (-1.0, 1.0)}  # of others 0 and 1


@dataclass(frozen=True)
class Widening:
    """By how much the spread of a figure is larger than the bootstrap's, for shares, errors and all other figures."""

    shares: float = 1.0
    errors: float = 1.0
    other: float = 1.0

    def of(self, name: str) -> float:
        """Return the factor of a metric that is no share."""
        return self.errors if name in ERRORS else self.other


def of_training(n_folds: int, has_learnt: bool = True) -> Widening:
    """Return the widening of figures out of fold of k folds: k / (k - 1), for shares and errors to the power 0.6.

    These to the powers 5/4 and 3/2 for a model that has not learnt anything, whose ROC AUC cannot be told from 0.5: its
    answers are the luck of its training set. Decided by simulation with five folds of samples and of groups
    (soak/test_coverage.py, soak/test_group_coverage.py); intervals without it cover the delivered model in 83 to 93 %.
    """
    step = n_folds / (n_folds - 1)
    return Widening(step**0.6, step**0.6, step) if has_learnt else Widening(step**1.25, step**1.5, step)


def nadeau_bengio(n_folds: int) -> float:
    """Return by how much the spread of the difference of two models is larger than the bootstrap's: sqrt(1 + k / (k - 1)).

    The variance that is due to training, by the sizes of a fold and of what it is predicted from, in units of the variance
    due to testing (Nadeau and Bengio 2003, "Inference for the generalization error", equation 9: 1/k + 1/(k - 1) against 1/k).
    """
    return (1 + n_folds / (n_folds - 1)) ** 0.5


def of_metric(
    name: str, estimate: float, draws: np.ndarray, n_groups: int, n_rarest: int, widen: float = 1.0
) -> list[float]:
    """Return [low, high] of a metric with the figure `estimate` and the `draws` (n,) of a bootstrap over `n_groups` groups.

    `n_rarest` is the number of groups of the rarest class; `widen` multiplies the spread. Draws that are NaN are left out;
    where they are more than half, or the estimate is NaN, or there is but one group, the interval is [nan, nan]; where all are
    equal, see `_of_constant`.
    """
    defined = draws[~np.isnan(draws)]
    if np.isnan(estimate) or not len(defined) or 2 * len(defined) < len(draws) or n_groups < 2:
        return [np.nan, np.nan]
    if np.ptp(defined) < ROUNDING:
        return _of_constant(name, estimate, n_rarest / widen**2)
    reach = reach_of(n_groups) * widen
    values = np.append(defined, estimate)
    if name in ("roc_auc", "average_precision"):
        return (1 / (1 + np.exp(-_around(_log(values) - _log(1 - values), reach)))).tolist()
    if name in ERRORS:
        return np.exp(_around(_log(values), reach)).tolist()
    ends = np.quantile(defined, [NORMAL.cdf(-reach), NORMAL.cdf(reach)])
    return np.clip(ends, *ENDS.get(name, (0.0, 1.0))).tolist()


def _of_constant(name: str, estimate: float, n_effective: float) -> list[float]:
    """Return [low, high] of a figure that is the same in all draws.

    Without a single error, or with nothing but errors, there is nothing to draw: what is known is how many chances for another
    there were. One score for all samples has the ROC AUC 0.5 on any other samples, too. Of all else nothing can be said: NaN.
    """
    if name not in ERRORS and estimate > 1 - ROUNDING:
        return [wilson(n_effective, n_effective)[0], 1.0]
    if name == "roc_auc" and estimate < ROUNDING:
        return [0.0, wilson(0, n_effective)[1]]
    return [estimate, estimate] if name == "roc_auc" and abs(estimate - 0.5) < ROUNDING else [np.nan, np.nan]


def of_paired(difference: float, draws: np.ndarray, n_groups: int, widen: float) -> list[float]:
    """Return [low, high] of the difference of two models' figures with paired `draws` (n,) of it: `reach_of` standard deviations.

    NaN as for `of_metric`.
    """
    defined = draws[~np.isnan(draws)]
    if np.isnan(difference) or not len(defined) or 2 * len(defined) < len(draws) or n_groups < 2:
        return [np.nan, np.nan]
    reach = reach_of(n_groups) * widen * float(defined.std())
    return [difference - reach, difference + reach]


def moved(name: str, ends: list[float], figure: float, to: float) -> list[float]:
    """Return [low, high] of a metric when its `figure` is corrected `to` another value: as far off, on the metric's own scale."""
    if name in ERRORS:
        return [end * to / figure for end in ends] if figure > 0 else ends
    start, end = ENDS.get(name, (0.0, 1.0))
    low, high, old, new = ((np.clip(x, start + 1e-9, end - 1e-9) - start) / (end - start) for x in (*ends, figure, to))
    odds = [x / (1 - x) * (new / (1 - new)) / (old / (1 - old)) for x in (low, high)]
    return [float(start + (end - start) * x / (1 + x)) for x in odds]


def reach_of(n_groups: int) -> float:
    """Return how many standard deviations of a bootstrap over so many groups an interval reaches to each side."""
    return student(n_groups - 1) * (n_groups / (n_groups - 1)) ** 0.5


def of_share(right: np.ndarray, groups: np.ndarray, widen: float = 1.0, degrees: float | None = None) -> list[float]:
    """Return [low, high] of the share of `right`, bool (n,), where samples of one of the `groups` (n,) may be alike.

    Where every group is a sample it is Wilson's interval. Else Wilson's of the effective sample size (see `variance_of_share`)
    times the square of the normal by Student's quantile (Korn and Graubard 1998, section 2), with the `degrees` of freedom of
    the variance, by default one less than there are groups. All right or all wrong show no variance: then every group counts as
    one sample. `widen` divides the sample size by its square. [nan, nan] without a sample.
    """
    n, n_groups = len(right), len(np.unique(groups))
    if n == n_groups:
        return list(wilson(int(np.sum(right)) / widen**2, n / widen**2))
    share = float(np.mean(right))
    if n_groups == 1 or share in (0, 1):
        return list(wilson(share * n_groups / widen**2, n_groups / widen**2))
    quantile = student(n_groups - 1 if degrees is None else degrees)
    effective = share * (1 - share) / variance_of_share(right, groups) * (student() / quantile / widen) ** 2
    return list(wilson(share * effective, effective))


def variance_of_share(right: np.ndarray, groups: np.ndarray) -> float:
    """Return the variance of the share of `right`, bool (n,), over `groups` (n,): by Taylor's linearisation, or that of
    independent samples where this is larger; 0 without a sample, of one group, and where all are right or all wrong.
    """
    n = len(right)
    members = np.unique(groups, return_inverse=True)[1]
    n_groups = int(members.max()) + 1 if n else 0
    if n_groups < 2:
        return 0.0
    share = float(np.mean(right))
    residues = np.bincount(members, right - share)
    variance = n_groups / (n_groups - 1) * (residues**2).sum() / n**2
    return float(max(variance * (n - 1), share * (1 - share)) / n)


def satterthwaite(variances: Sequence[float], degrees: Sequence[float]) -> float:
    """Return the degrees of freedom of a sum of independent parts with these `variances`, each of its own `degrees`.

    Satterthwaite 1946, "An approximate distribution of estimates of variance components", Biometrics Bulletin 2:110.
    """
    parts = sum(v**2 / d for v, d in zip(variances, degrees, strict=True) if v)
    return sum(variances) ** 2 / parts if parts else np.inf


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


@lru_cache(maxsize=256)
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
